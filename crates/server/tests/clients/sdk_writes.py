"""A training program: the real SDK of whichever version this interpreter has logs metrics and lines into a storage root.

Called with the root, a count, a run id and milliseconds to wait after each step; writes one line of text to stdout for each
step, so that its parent can follow.
"""

import sys
import time

import runicorn

root, count, run_id, pause = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]) / 1000
run = runicorn.init(path="live/sdk", storage=root, run_id=run_id, capture_console=False, snapshot_code=False)
for step in range(1, count + 1):
    run.log({"loss": 1.0 / step, "acc": step * 0.5}, step=step)
    run.log_text(f"line {step}")
    print(step, flush=True)
    time.sleep(pause)
run.finish()
