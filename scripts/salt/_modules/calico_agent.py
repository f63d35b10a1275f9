"""
Runs the Calico host agent. Each function returns the agent's JSON, with its exit code as ``rc``, which is also Salt's own
return code: ``--failhard`` stops at a host that failed.

    salt 'node1*' calico_agent.status
    salt 'node1*' calico_agent.upgrade check=True
    salt 'node1*' calico_agent.upgrade to=v3.20.0
    salt 'node1*' calico_agent.upgrade node=quay.io/calico/node:v2.6.12 only=node

What to upgrade to is named by ``to`` (a release), ``node``, ``cni`` or ``controllers``, and else by the minion's config.
``only`` and ``allow`` take a text or a list. ``config`` is the path of another config file, or a config as a mapping.
"""

import contextlib
import json
import os
import shutil
import tempfile

try:
    from salt.exceptions import CommandExecutionError
except ImportError:  # where the module is tried without Salt
    CommandExecutionError = RuntimeError

EXECUTABLE = "calico-agent"


def installed():
    """Whether this minion has the agent. The module loads without it: a state of the same run may install it."""
    return shutil.which(EXECUTABLE) is not None


def _run(command, *words, config=None, **options):
    """``options`` become ``--name=VALUE``, so that no value is taken for an option; those that are None are left out."""
    if not installed():
        raise CommandExecutionError("calico-agent is not installed on this minion: apply the state calico_agent first")
    argv = [EXECUTABLE, command, *words, "--json"]
    for name, value in options.items():
        if value is not None:
            argv.append("--%s=%s" % (name, value))
    with _file_of(config) as path:
        if path is not None:
            argv.append("--config=%s" % path)
        # A list, without a shell: nothing is expanded.
        done = __salt__["cmd.run_all"](argv, python_shell=False, ignore_retcode=True)
    try:
        report = json.loads(done["stdout"])
    except ValueError:
        said = done["stderr"] or done["stdout"]
        raise CommandExecutionError("cannot read calico-agent's output: " + said) from None
    __context__["retcode"] = done["retcode"]
    return {**report, "rc": done["retcode"]}


@contextlib.contextmanager
def _file_of(config):
    """The path of a config. A mapping is written to a file for the time that it is needed: of mode 0600, as mkstemp has it."""
    if config is None or isinstance(config, str):
        yield config
        return
    handle, path = tempfile.mkstemp(prefix="calico-agent-", suffix=".yaml")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(config, file)  # JSON is YAML
        yield path
    finally:
        os.unlink(path)


def _listed(value):
    return [value] if isinstance(value, str) else list(value or [])


def _rules(allow):
    return ["--allow=%s" % rule for rule in _listed(allow)]


def _check(check):
    return ["--check"] if check else []


def _target(to, node, cni, controllers, only):
    parts = ",".join(_listed(only)) or None
    return {"to": to, "node": node, "cni": cni, "controllers": controllers, "only": parts}


def _name(run):
    if str(run).startswith("-"):
        raise CommandExecutionError("%s is not the name of a run: calico_agent.history lists them" % run)
    return str(run)


def status(to=None, node=None, cni=None, controllers=None, only=None, config=None):
    """What runs on this host, and what an upgrade would change."""
    return _run("status", config=config, **_target(to, node, cni, controllers, only))


def doctor(to=None, node=None, cni=None, controllers=None, only=None, config=None):
    """Each rule that an upgrade must pass, and whether it does."""
    return _run("doctor", config=config, **_target(to, node, cni, controllers, only))


def upgrade(
    to=None,
    node=None,
    cni=None,
    controllers=None,
    only=None,
    window=None,
    allow=None,
    wait=None,
    check=False,
    config=None,
):
    """
    Upgrades this host. With ``check``, only plans.

    ``wait``, such as ``30m``: for how long it may wait for its turn among the other hosts, where the config has a fleet.
    """
    target = _target(to, node, cni, controllers, only)
    words = ["--check", *_rules(allow)] if check else _rules(allow)
    return _run("upgrade", *words, config=config, window=window, wait=None if check else wait, **target)


def prefetch(to=None, node=None, cni=None, controllers=None, only=None, check=False, config=None):
    """Pulls what an upgrade needs; nothing running is changed. With ``check``, only shows it."""
    return _run("prefetch", *_check(check), config=config, **_target(to, node, cni, controllers, only))


def _is_back_already(config):
    """The last run that was kept is a rollback: another one would go forward again."""
    for run in _run("history", config=config)["runs"]:
        if run["outcome"] in (None, "upgraded", "partial"):
            return False  # an open run is settled first, and may be kept
        if (run["command"], run["outcome"]) == ("rollback", "rolled-back"):
            events = _run("history", run["run"], config=config)["timeline"]["events"]
            if "going-back" not in [event["event"] for event in events]:
                return True
    return False


def rollback(run=None, window=None, allow=None, check=False, config=None):
    """
    Restores what the last committed run, or ``run``, replaced. With ``check``, only shows it.

    A host whose last committed run is a rollback does not change when ``run`` is not given.
    """
    if not run and _is_back_already(config):
        return {"run": None, "outcome": "unchanged", "changed": False, "components": {}, "problems": [], "rc": 0}
    words = [*([_name(run)] if run else []), *_rules(allow), *_check(check)]
    return _run("rollback", *words, config=config, window=window)


def resume(config=None):
    """Finishes or undoes an interrupted run."""
    return _run("resume", config=config)


def history(run=None, config=None):
    """The runs, newest first, or the timeline of ``run``."""
    return _run("history", *([_name(run)] if run else []), config=config)


def gc(check=False, config=None):
    """Removes what is past its retention. With ``check``, only shows it."""
    return _run("gc", *_check(check), config=config)
