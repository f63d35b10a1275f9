"""
The Salt modules against the agent that is on PATH, without Salt: a loader and `cmd.run_all` as Salt documents them
stand in for its own, and recorded replies for what only a host can answer. test/e2e/salt.test.ts has Salt and hosts.
"""

import importlib.util
import json
import pathlib
import stat
import subprocess
import tempfile
import unittest

SALT = pathlib.Path(__file__).parents[2] / "scripts/salt"

PLANNED = {
    "schema": 1,
    "run": None,
    "outcome": "planned",
    "changed": True,
    "components": {"node": {"from": "calico/node:v2.6.5", "to": "calico/node:v2.6.12"}},
    "steps": [],
    "window": None,
    "diff": [],
    "problems": [],
}


def run_all(argv, python_shell, ignore_retcode):
    assert not python_shell and ignore_retcode
    done = subprocess.run(argv, capture_output=True, text=True)
    return {"pid": 0, "retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def load(kind, functions, test=False):
    """As Salt's loader: the dunders are put into the module's own namespace."""
    spec = importlib.util.spec_from_file_location("calico_agent", SALT / kind / "calico_agent.py")
    module = importlib.util.module_from_spec(spec)
    module.__salt__ = functions
    module.__opts__ = {"test": test}
    module.__context__ = {}
    spec.loader.exec_module(module)
    return module


def modules(test=False):
    execution = load("_modules", {"cmd.run_all": run_all})
    names = ["doctor", "installed", "prefetch", "upgrade"]
    functions = {"calico_agent.%s" % name: getattr(execution, name) for name in names}
    state = load("_states", functions, test)
    return execution, state


class WithTheExecutable(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def config(self, text):
        path = pathlib.Path(self.directory.name, "agent.yaml")
        path.write_text(text)
        return str(path)

    def test_a_minion_without_the_agent_waits_for_it_in_test_mode(self):
        execution, state = modules(test=True)
        self.assertTrue(execution.installed())
        execution.EXECUTABLE = "/nowhere/calico-agent"
        done = state.upgraded("calico")
        self.assertEqual((done["result"], done["changes"]), (None, {}))
        self.assertIn("installed first", done["comment"])

    def test_a_bad_config_fails_with_its_way_out(self):
        execution, state = modules()
        done = state.upgraded("calico", config=self.config("nod: {}\n"))
        self.assertIs(done["result"], False)
        self.assertEqual(done["changes"], {})
        self.assertRegex(done["comment"], r'refused\nbad-config: .*did you mean "node"\?.*Way out: ')
        self.assertEqual(execution.__context__["retcode"], 2)

    def test_no_docker_fails_in_test_mode_as_well(self):
        _, state = modules(test=True)
        config = self.config("node: { image: calico/node:v2.6.12 }\ndocker: { socket: /nowhere/docker.sock }\n")
        done = state.upgraded("calico", config=config)
        self.assertIs(done["result"], False)
        self.assertRegex(done["comment"], r"refused\n\S+: .*/nowhere/docker.sock")

    def test_a_minion_without_the_agent_is_told_what_to_do(self):
        execution, _ = modules()
        execution.EXECUTABLE = "/nowhere/calico-agent"
        with self.assertRaisesRegex(RuntimeError, "not installed on this minion: apply the state"):
            execution.status()

    def test_history_and_gc_answer(self):
        execution, _ = modules()
        config = self.config("window: 60\n")
        self.assertIn("runs", execution.history(config=config))
        self.assertEqual(execution.gc(check=True, config=config)["rc"], 0)

    def test_a_value_is_never_an_option(self):
        execution, _ = modules()
        seen = []

        def record(argv, **_options):
            seen.append(argv)
            return {"retcode": 0, "stdout": json.dumps(PLANNED), "stderr": ""}

        execution.__salt__ = {"cmd.run_all": record}
        execution.upgrade(node="--state-dir=/tmp", allow="downgrade")
        execution.upgrade(allow=["downgrade", "bird-down"], to="v3.20.0", only=["node", "cni"])
        self.assertIn("--only=node,cni", seen[1])
        self.assertIn("--to=v3.20.0", seen[1])
        self.assertIn("--node=--state-dir=/tmp", seen[0])
        self.assertEqual([word for word in seen[0] if "allow" in word], ["--allow=downgrade"])
        self.assertEqual([word for word in seen[1] if "allow" in word], ["--allow=downgrade", "--allow=bird-down"])
        with self.assertRaisesRegex(RuntimeError, "is not the name of a run"):
            execution.rollback(run="--state-dir=/tmp")

    def test_a_config_may_be_a_mapping_that_only_root_can_read(self):
        execution, state = modules(test=True)
        seen = []

        def look(argv, **options):
            (path,) = [word[len("--config=") :] for word in argv if word.startswith("--config=")]
            seen.append((path, stat.S_IMODE(pathlib.Path(path).stat().st_mode)))
            return run_all(argv, **options)

        execution.__salt__ = {"cmd.run_all": look}
        done = state.upgraded("calico", config={"nod": {"image": "calico/node:v2.6.12"}})
        self.assertIs(done["result"], False)
        self.assertRegex(done["comment"], r'refused\nbad-config: .*did you mean "node"\?')
        ((path, mode),) = seen
        self.assertEqual(mode, 0o600)
        self.assertFalse(pathlib.Path(path).exists())

    def test_a_host_that_cannot_be_looked_at_is_not_ready(self):
        _, state = modules()
        config = {"docker": {"socket": "/nowhere/docker.sock"}}
        done = state.ready("calico", config=config)
        self.assertIs(done["result"], False)
        self.assertRegex(done["comment"], r"/nowhere/docker.sock.*Way out: ")
        (code,) = {line.split(":")[0] for line in done["comment"].split("\n")}
        self.assertEqual(state.ready("calico", config=config, allow=code)["result"], True)

    def test_resume_without_a_run_changes_nothing(self):
        execution, _ = modules()
        report = execution.resume(config=self.config("window: 60\n"))
        self.assertEqual((report["rc"], report["outcome"], report["changed"]), (0, "unchanged", False))


class WithAHistory(unittest.TestCase):
    """What a rollback without a name does, by the runs of the host, newest first."""

    def commands(self, runs, going_back=(), **options):
        """The agent's commands, and what the function returns."""
        execution, _ = modules()
        seen = []

        def answer(argv, **_options):
            seen.append(" ".join(argv[1:]))
            if argv[1] == "rollback":
                report = {**PLANNED, "outcome": "rolled-back"}
            else:
                event = "going-back" if argv[2] in going_back else "finished"
                report = {"runs": runs, "timeline": {"events": [{"event": event}]}}
            return {"retcode": 0, "stdout": json.dumps(report), "stderr": ""}

        execution.__salt__ = {"cmd.run_all": answer}
        return seen, execution.rollback(**options)

    @staticmethod
    def run_of(name, command, outcome):
        return {"run": name, "command": command, "outcome": outcome}

    def test_a_host_that_went_back_stays_as_it_is(self):
        runs = [
            self.run_of("4", "prefetch", "prefetched"),
            self.run_of("3", "upgrade", "rolled-back"),
            self.run_of("2", "rollback", "rolled-back"),
            self.run_of("1", "upgrade", "upgraded"),
        ]
        for check in (False, True):
            seen, report = self.commands(runs, check=check, config="/etc/agent.yaml")
            options = "--json --config=/etc/agent.yaml"
            self.assertEqual(seen, ["history " + options, "history 2 " + options])
            self.assertEqual((report["outcome"], report["changed"], report["rc"]), ("unchanged", False, 0))

    def test_a_host_that_was_upgraded_goes_back(self):
        upgraded = self.run_of("1", "upgrade", "upgraded")
        rollback = self.run_of("2", "rollback", "rolled-back")
        for newest in ("upgraded", "partial", None):
            seen, report = self.commands([self.run_of("3", "upgrade", newest), rollback, upgraded])
            self.assertEqual(seen, ["history --json", "rollback --json"])
            self.assertEqual(report["outcome"], "rolled-back")
        for runs in ([], [upgraded]):
            self.assertEqual(self.commands(runs)[0], ["history --json", "rollback --json"])

    def test_a_rollback_that_failed_is_tried_again(self):
        runs = [self.run_of("2", "rollback", "rolled-back"), self.run_of("1", "upgrade", "upgraded")]
        seen, _ = self.commands(runs, going_back=["2"])
        self.assertEqual(seen, ["history --json", "history 2 --json", "rollback --json"])

    def test_a_run_that_is_named_is_undone(self):
        seen, _ = self.commands([self.run_of("2", "rollback", "rolled-back")], run="2")
        self.assertEqual(seen, ["rollback 2 --json"])


class WithARecordedReply(unittest.TestCase):
    """The reply of an agent on a host, given by a program of the same name."""

    def reply(self, report, code=0, test=True):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        script = pathlib.Path(directory.name, "calico-agent")
        words = "printf '%s\\n' \"$@\" >\"$0.argv\"\n"
        script.write_text("#!/bin/sh\n%scat <<'EOF'\n%s\nEOF\nexit %d\n" % (words, json.dumps(report), code))
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        execution, state = modules(test)
        execution.EXECUTABLE = str(script)
        return state, lambda: pathlib.Path(str(script) + ".argv").read_text().split("\n")[:-1]

    def test_a_plan_is_none_in_test_mode(self):
        state, argv = self.reply(PLANNED)
        done = state.upgraded("calico", window=60, allow=["peer-down", "not-calico"], wait="30m")
        self.assertIsNone(done["result"])
        self.assertEqual(done["changes"], {"node": {"old": "calico/node:v2.6.5", "new": "calico/node:v2.6.12"}})
        flags = ["--check", "--allow=peer-down", "--allow=not-calico", "--json", "--window=60"]
        self.assertEqual(argv(), ["upgrade", *flags])

    def test_an_upgrade_is_true_with_changes(self):
        state, argv = self.reply({**PLANNED, "outcome": "upgraded", "run": "20261122T141503Z-7f3a"}, test=False)
        done = state.upgraded("calico", wait="30m")
        self.assertIs(done["result"], True)
        self.assertIn("node", done["changes"])
        self.assertEqual(done["comment"], "upgraded by run 20261122T141503Z-7f3a")
        self.assertEqual(argv(), ["upgrade", "--json", "--wait=30m"])

    def test_what_would_be_pulled_is_none_in_test_mode(self):
        step = {"kind": "pull-image", "component": "node", "summary": "pull it", "status": "pending", "ms": 0}
        state, argv = self.reply({**PLANNED, "steps": [step]})
        done = state.prefetched("calico", node="calico/node:v2.6.12")
        self.assertIsNone(done["result"])
        self.assertEqual(done["changes"], {"pull it": {"old": "", "new": "pending"}})
        self.assertEqual(argv(), ["prefetch", "--check", "--json", "--node=calico/node:v2.6.12"])

    def test_another_host_s_turn_is_a_failure_that_says_so(self):
        problem = {"code": "lease-held", "severity": "error", "message": "host-2 is at work", "fix": "wait"}
        report = {**PLANNED, "outcome": "deferred", "changed": False, "problems": [problem]}
        state, _ = self.reply(report, code=75, test=False)
        done = state.upgraded("calico")
        self.assertEqual((done["result"], done["changes"]), (False, {}))
        self.assertEqual(done["comment"], "deferred\nlease-held: host-2 is at work. Way out: wait")

    def test_a_moved_tag_is_a_change_under_the_same_name(self):
        same = {"node": {"from": "calico/node:latest", "to": "calico/node:latest"}}
        state, _ = self.reply({**PLANNED, "components": same})
        done = state.upgraded("calico")
        self.assertIsNone(done["result"])
        self.assertNotEqual(done["changes"], {})

    def test_a_rollback_is_false_without_changes(self):
        problem = {"code": "gate-failed", "severity": "error", "message": "it exited", "fix": "docker logs"}
        report = {**PLANNED, "outcome": "rolled-back", "changed": False, "problems": [problem]}
        state, _ = self.reply(report, code=4, test=False)
        done = state.upgraded("calico")
        self.assertEqual((done["result"], done["changes"]), (False, {}))
        self.assertEqual(done["comment"], "rolled-back\ngate-failed: it exited. Way out: docker logs")


if __name__ == "__main__":
    unittest.main()
