"""Runs the agent of the host, and reads its JSON."""

import contextlib
import json
import os
import tempfile

TARGET = ("to", "node", "cni", "controllers")

TARGET_SPEC = {
    "config": {"type": "dict"},
    "to": {"type": "str"},
    "node": {"type": "str"},
    "cni": {"type": "str"},
    "controllers": {"type": "str"},
    "only": {"type": "list", "elements": "str"},
    "executable": {"type": "path", "default": "/usr/bin/calico-agent"},
}


def is_installed(module):
    return os.path.exists(module.params["executable"])


def target_words(params):
    """Values become ``--name=VALUE``, so that none is taken for an option."""
    words = ["--%s=%s" % (name, params[name]) for name in TARGET if params[name] is not None]
    return words + (["--only=" + ",".join(params["only"])] if params["only"] else [])


def run_agent(module, command, *words):
    """The exit code and the JSON of a command."""
    with _config_file(module) as path:
        config = ["--config=" + path] if path else []
        argv = [module.params["executable"], command, *words, *config, "--json"]
        # a value is a value: no $VARIABLE and no ~ of it is expanded
        rc, out, err = module.run_command(argv, expand_user_and_vars=False)
    try:
        return rc, json.loads(out)
    except ValueError:
        module.fail_json(msg="cannot read the agent's output", rc=rc, stdout=out, stderr=err)


def with_way_out(problems):
    return ["%(code)s: %(message)s. Way out: %(fix)s" % problem for problem in problems]


@contextlib.contextmanager
def _config_file(module):
    """The path of the config that the task names; None where the host's own is meant."""
    if module.params["config"] is None:
        yield None
        return
    handle, path = tempfile.mkstemp(suffix=".yaml", dir=module.tmpdir)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(module.params["config"], file)  # JSON is YAML
        yield path
    finally:
        os.unlink(path)
