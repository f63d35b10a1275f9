"""
Runs the Calico host agent. Each function returns the agent's JSON, with its exit code as ``rc``.

    salt 'node1*' calico_agent.status
    salt 'node1*' calico_agent.upgrade check=True
    salt 'node1*' calico_agent.upgrade to=v3.20.0
    salt 'node1*' calico_agent.upgrade node=quay.io/calico/node:v2.6.12 only=node

What to upgrade to is named by ``to`` (a release), ``node``, ``cni`` or ``controllers``, and else by the minion's config.
``only`` and ``allow`` take a text or a list.
"""

import json
import shutil

try:
    from salt.exceptions import CommandExecutionError
except ImportError:  # where the module is tried without Salt
    CommandExecutionError = RuntimeError

EXECUTABLE = "calico-agent"


def installed():
    """Whether this minion has the agent. The module loads without it: a state of the same run may install it."""
    return shutil.which(EXECUTABLE) is not None


def _run(command, *words, **options):
    """``options`` become ``--name=VALUE``, so that no value is taken for an option; those that are None are left out."""
    if not installed():
        raise CommandExecutionError("calico-agent is not installed on this minion: apply the state calico_agent first")
    argv = [EXECUTABLE, command, *words, "--json"]
    for name, value in options.items():
        if value is not None:
            argv.append("--%s=%s" % (name.replace("_", "-"), value))
    # A list, without a shell: nothing is expanded.
    done = __salt__["cmd.run_all"](argv, python_shell=False, ignore_retcode=True)
    try:
        report = json.loads(done["stdout"])
    except ValueError:
        said = done["stderr"] or done["stdout"]
        raise CommandExecutionError("cannot read calico-agent's output: " + said) from None
    return {**report, "rc": done["retcode"]}


def _listed(value):
    return [value] if isinstance(value, str) else list(value or [])


def _rules(allow):
    return ["--allow=%s" % rule for rule in _listed(allow)]


def _parts(only):
    return ",".join(_listed(only)) or None


def _name(run):
    if str(run).startswith("-"):
        raise CommandExecutionError("%s is not the name of a run: calico_agent.history lists them" % run)
    return str(run)


def status(to=None, node=None, cni=None, controllers=None, only=None, config=None):
    """What runs on this host, and what an upgrade would change."""
    return _run("status", to=to, node=node, cni=cni, controllers=controllers, only=_parts(only), config=config)


def doctor(to=None, node=None, cni=None, controllers=None, only=None, config=None):
    """Each rule that an upgrade must pass, and whether it does."""
    return _run("doctor", to=to, node=node, cni=cni, controllers=controllers, only=_parts(only), config=config)


def upgrade(
    to=None, node=None, cni=None, controllers=None, only=None, window=None, allow=None, config=None, check=False
):
    """Upgrades this host. With ``check``, only plans."""
    target = {"to": to, "node": node, "cni": cni, "controllers": controllers, "only": _parts(only)}
    flags = ["--check"] if check else []
    return _run("upgrade", *flags, *_rules(allow), **target, window=window, config=config)


def prefetch(to=None, node=None, cni=None, controllers=None, only=None, config=None):
    """Pulls what an upgrade needs; nothing running is changed."""
    return _run("prefetch", to=to, node=node, cni=cni, controllers=controllers, only=_parts(only), config=config)


def rollback(run=None, window=None, allow=None, config=None):
    """Restores what the last committed run, or ``run``, replaced."""
    return _run("rollback", *([_name(run)] if run else []), *_rules(allow), window=window, config=config)


def resume(config=None):
    """Finishes or undoes an interrupted run."""
    return _run("resume", config=config)


def history(run=None, config=None):
    """The runs, newest first, or the timeline of ``run``."""
    return _run("history", *([_name(run)] if run else []), config=config)


def gc(check=False, config=None):
    """Removes what is past its retention. With ``check``, only shows it."""
    return _run("gc", *(["--check"] if check else []), config=config)
