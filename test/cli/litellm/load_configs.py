"""What LiteLLM makes of configurations: load_configs.py RESULTS FILES.

Reads each file by LiteLLM's parser; those in a folder named "load" it also starts the proxy's server
with, without listening, each in a process of its own. RESULTS becomes JSON: by file, "value" or
"refused", and of those "posts" (where its generic_api callbacks post to) or "error".
"""

import asyncio
import json
import os
import sys

import litellm
import yaml
from litellm.proxy import proxy_server


def read(file):
    try:
        with open(file, encoding="utf-8") as opened:
            return {"value": yaml.safe_load(opened)}
    except (yaml.YAMLError, ValueError) as error:
        return {"refused": str(error)}


def start(file):
    try:
        asyncio.run(proxy_server.initialize(config=file))
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"}
    loggers = [one for one in litellm.callbacks if type(one).__name__ == "GenericAPILogger"]
    return {"posts": [one.endpoint for one in loggers]}


def started_apart(file):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.chdir(os.path.dirname(file))
        with os.fdopen(writing, "w") as told:
            json.dump(start(file), told)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    os.wait()
    return json.loads(said or '{"error": "it ended"}')


results, *files = sys.argv[1:]
made = {}
for file in files:
    is_loaded = os.path.basename(os.path.dirname(file)) == "load"
    made[file] = read(file) | (started_apart(file) if is_loaded else {})
with open(results, "w", encoding="utf-8") as opened:
    json.dump(made, opened, default=str)
