"""reporting_trainer.py: mlx_lm.lora -c lora.yaml as it is, with a JSON line for each of its reports in
$ESPALIER_EVENTS: the step time, and the peak memory that MLX itself counts."""
import json
import os
import sys

import mlx.core as mx
from mlx_lm.tuner import callbacks


class Reports(callbacks.TrainingCallback):
    def __init__(self, project_name=None, log_dir=None, config=None, wrapped_callback=None):
        pass

    def on_train_loss_report(self, info):
        with open(os.environ["ESPALIER_EVENTS"], "a", encoding="utf-8") as f:
            f.write(json.dumps({"event": "train", "iteration": int(info["iteration"]),
                                "step_seconds": 1 / float(info["iterations_per_second"]),
                                "peak_bytes": int(mx.get_peak_memory())}) + "\n")

    def on_val_loss_report(self, info):
        pass


if __name__ == "__main__":
    callbacks.SUPPORT_CALLBACK["espalier"] = Reports
    sys.argv = ["mlx_lm.lora", "-c", "lora.yaml", "--report-to", "espalier"]
    import mlx_lm.lora
    mlx_lm.lora.main()
