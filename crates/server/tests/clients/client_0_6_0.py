"""`runicorn.api` of PyPI runicorn 0.6.0 against a server on the recorded 0.6.0 root: every method but the remote ones.

That client refuses each server whose health word is not "healthy", the real ones included; this script answers that one
check itself and lets everything else through. Called with the server's address and a scratch folder.
"""

import sys
from pathlib import Path

import runicorn
import runicorn.api as api
from runicorn.api import utils
from runicorn.api.client import RunicornClient

assert runicorn.__version__ == "0.6.0", runicorn.__version__

BASE, SCRATCH = sys.argv[1], Path(sys.argv[2])
DENSE = "20250120_121212_0d0e0f"
FINISHED = "20250114_153045_a1b2c3"


def verify_connection(self):
    data = self.session.get(self.base_url + "/api/health", timeout=5).json()
    assert data["status"] == "ok", data


RunicornClient._verify_connection = verify_connection

with api.connect(BASE) as client:
    assert client.health_check()["status"] == "ok"

    experiments = client.list_experiments()
    assert len(experiments) == 13, len(experiments)
    ids = {experiment["id"] for experiment in experiments}
    assert {DENSE, FINISHED} <= ids
    of_project = client.list_experiments(project="cv", status="finished")
    assert of_project and all(e["project"] == "cv" and e["status"] == "finished" for e in of_project), of_project
    first = client.list_experiments(limit=5)
    second = client.list_experiments(limit=5, offset=5)
    assert len(first) == len(second) == 5
    assert not {e["id"] for e in first} & {e["id"] for e in second}
    named = client.list_experiments(project="cv", name="resnet50")
    assert len(named) == 2, named

    assert client.get_run(FINISHED)["id"] == FINISHED
    assert client.get_experiment(FINISHED)["status"] == "finished"
    assert "cv" in client.list_projects()

    metrics = client.get_metrics(DENSE)["metrics"]
    assert metrics and not {"time", "stage", "epoch"} & set(metrics), list(metrics)
    # One metric was logged at each step, another only now and then; data frames want columns of one length.
    name = max(metrics, key=lambda metric: len(metrics[metric]))
    points = metrics[name]
    assert len(points) == 250 and {"step", "value", "timestamp"} <= set(points[0]), points[0]
    steps = [point["step"] for point in points]
    assert steps == sorted(steps)
    assert list(client.get_metrics(DENSE, metric_names=[name])["metrics"]) == [name]
    assert len(client.get_metrics(DENSE, limit=10)["metrics"][name]) == 10

    exported = client.export_experiment(DENSE).decode()
    assert DENSE in exported
    csv = client.export_experiment(DENSE, format="csv").decode()
    header = csv.splitlines()[0].split(",")
    assert "step" in header and name in header, header

    frame = utils.metrics_to_dataframe(client.get_metrics(DENSE, metric_names=[name]))
    assert len(frame) == 250 and "step" in frame.columns
    assert len(utils.experiments_to_dataframe(experiments)) == 13
    target = SCRATCH / "metrics.csv"
    assert utils.export_metrics_to_csv(client, DENSE, str(target), [name]) == str(target)
    assert len(target.read_text().splitlines()) == 251
    compared = utils.compare_runs(client, [DENSE], name)
    assert len(compared) == 250 and DENSE in compared.columns

    config = client.get_config()
    assert {"user_root_dir", "storage", "config_file", "version"} <= set(config)
    other = SCRATCH / "put-root"
    assert client.update_config({"user_root_dir": str(other)})["storage"] == str(other)
    assert client.list_experiments() == []
    client.update_config({"user_root_dir": config["storage"]})

    gpu = client.get_gpu_info()
    assert gpu["available"] or gpu["reason"], gpu

    for missing in ("20990101_000000_ffffff", "nope"):
        try:
            client.get_run(missing)
            raise AssertionError("an unknown run was found")
        except api.NotFoundError:
            pass

    assert client.get("/api/runs") and client.post("/api/status/check")["checked"] >= 1
    assert client.put("/api/config", {})["storage"] == config["storage"]
    assert client.delete("/api/config/column-widths?table=runs")["ok"] is True

print("every call of runicorn.api 0.6.0 works")
