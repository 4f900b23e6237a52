"""`runicorn.client` of PyPI runicorn 0.7.2, unchanged, against a server on the recorded 0.6.0 root.

Called with the server's address and a scratch folder; fails by exception.
"""

import sys
from pathlib import Path

import runicorn
import runicorn.client as api
from runicorn.client import models, utils

assert runicorn.__version__ == "0.7.2", runicorn.__version__

BASE, SCRATCH = sys.argv[1], Path(sys.argv[2])
DENSE = "20250120_121212_0d0e0f"
FINISHED = "20250114_153045_a1b2c3"

with api.connect(BASE) as client:
    health = client.health_check()
    assert health["status"] == "ok" and health["timestamp"] > 1.7e9, health

    runs = client.list_runs()
    assert len(runs) == 13, len(runs)
    infos = {run["id"]: models.RunInfo.from_dict(run) for run in runs}
    assert infos[FINISHED].status == "finished"
    assert infos[FINISHED].created_datetime is not None

    run = client.get_run(FINISHED)
    assert run["id"] == FINISHED and run["path"] == "cv/detection/yolo", run

    paths = client.list_paths(include_stats=True)
    assert "cv/detection/yolo" in paths["paths"]
    info = models.PathInfo.from_dict("cv", paths["stats"]["cv"])
    assert info.total == 5, info
    below = client.list_runs_by_path("cv")
    assert len(below) == 5, [run["id"] for run in below]
    assert client.list_runs_by_path("cv", exact=True) == []

    table = client.get_metrics(DENSE)
    assert table["total"] == len(table["rows"]) == 250, table["total"]
    thinned = client.get_metrics(DENSE, downsample=100)
    assert 0 < len(thinned["rows"]) <= 100 and thinned["total"] == 250

    csv = client.export_csv(DENSE).decode()
    assert csv.splitlines()[0].startswith("step") and len(csv.splitlines()) == 251, csv[:200]
    report = client.export_report(FINISHED).decode()
    assert FINISHED in report, report[:200]

    frame = utils.metrics_to_dataframe(table)
    assert len(frame) == 250, frame
    assert len(utils.runs_to_dataframe(runs)) == 13
    exported = SCRATCH / "metrics.csv"
    utils.export_metrics_to_csv(client, DENSE, str(exported))
    assert len(exported.read_text().splitlines()) == 251

    gpu = client.get_gpu_info()
    assert gpu["available"] or gpu["reason"], gpu
    stats = client.get_storage_stats()
    assert stats["runs"]["runs_count"] >= 13, stats
    checked = client.check_status()
    assert checked["checked"] >= 1, checked

    try:
        client.get_run("20990101_000000_ffffff")
        raise AssertionError("an unknown run was found")
    except api.NotFoundError:
        pass

    config = client.get_config()
    other = SCRATCH / "other-root"
    changed = client.set_user_root_dir(str(other))
    assert changed["storage"] == str(other), changed
    assert client.list_runs() == []
    assert (other / "runs").is_dir()
    client.set_user_root_dir(config["storage"])
    assert len(client.list_runs()) == 13

print("every call of runicorn.client 0.7.2 works")
