#!/usr/bin/python3
"""A stand-in of the lab for a kubelet with static pods: no kubelet, but as little forgiving as one.

It looks at its manifest directory every half second. A manifest that appears is started at once, also while the pod of
the same name that was there before still ends: that is how two run at the same time. A start that has begun goes on
when its manifest is taken away meanwhile. What ended is started again. Files whose names begin with a dot are not seen.
Containers have dockershim's names and labels, and each pod a sandbox, which ends after its containers.

Of a manifest it reads the names, the image, the grace period and `- {name: N, value: V}` of the environment.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time

NODE = os.uname().nodename.lower()
SHARED = "/srv/controllers:/shared"


def docker(*args):
    done = subprocess.run(["docker", *args], capture_output=True, text=True)
    if done.returncode != 0:
        print("docker", *args, "->", done.stderr.strip(), flush=True)
    return done.stdout.strip()


def field(text, pattern, default=""):
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else default


def parse(text):
    if text.lstrip().startswith("{"):
        pod = json.loads(text)
        one = pod["spec"]["containers"][0]
        meta = pod["metadata"]
        env = [(e["name"], e["value"]) for e in one.get("env", [])]
        grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
        return meta["name"], meta.get("namespace", "default"), one["name"], one["image"], str(grace), env
    env = re.findall(r"- \{name: (\S+), value: ([^}]+)\}", text)
    return (
        field(text, r"^metadata:\n(?:  .*\n)*?  name: (\S+)"),
        field(text, r"^  namespace: (\S+)", "default"),
        field(text, r"^ +- name: (\S+)"),
        field(text, r"^ +image: *(?:&\S+ +)?[\"']?([^\s\"']+)"),
        field(text, r"terminationGracePeriodSeconds: (\d+)", "30"),
        env,
    )


def manifests(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if name.startswith(".") or not os.path.isfile(path):
            continue
        try:
            with open(path) as file:
                text = file.read()
            pod = parse(text)
        except (OSError, ValueError, KeyError) as error:
            print(path, error, flush=True)
            continue
        uid = hashlib.md5((NODE + path + text).encode()).hexdigest()
        found[uid] = pod
    return found


def labels(uid, pod, container):
    name, namespace = pod[0], pod[1]
    pairs = {
        "io.kubernetes.pod.name": f"{name}-{NODE}",
        "io.kubernetes.pod.namespace": namespace,
        "io.kubernetes.pod.uid": uid,
        "io.kubernetes.container.name": container,
        "annotation.io.kubernetes.container.restartCount": "0",
    }
    return [word for key, value in pairs.items() for word in ("--label", f"{key}={value}")]


def of_pod(uid, *flags):
    wanted = ["--filter", f"label=io.kubernetes.pod.uid={uid}", "--format", "{{.ID}}", "--no-trunc"]
    return docker("ps", *flags, *wanted).split()


def start(uid, pod, sandbox):
    name, namespace, container, image, _, env = pod
    suffix = f"{name}-{NODE}_{namespace}_{uid}"
    if not docker("ps", "--quiet", "--filter", f"name=k8s_POD_{suffix}"):
        docker("rm", "--force", f"k8s_POD_{suffix}_0")
        run = ["run", "--detach", "--net=host", "--name", f"k8s_POD_{suffix}_0", "--entrypoint", "/bin/sleep"]
        docker(*run, *labels(uid, pod, "POD"), sandbox, "99999")
    dead = of_pod(uid, "--all", "--filter", f"label=io.kubernetes.container.name={container}")
    attempt = int(time.monotonic() * 1000)
    flags = [word for key, value in env for word in ("--env", f"{key}={value}")]
    # as the real one, by the image's id
    resolved = docker("image", "inspect", "--format", "{{.Id}}", image) or image
    run = ["run", "--detach", "--net=host", "--volume", SHARED, "--name", f"k8s_{container}_{suffix}_{attempt}"]
    docker(*run, *flags, *labels(uid, pod, container), resolved)
    for old in dead:
        docker("rm", old)


def stop(uid, grace):
    containers = of_pod(uid)
    sandboxes = of_pod(uid, "--filter", "label=io.kubernetes.container.name=POD")
    for one in containers:
        if one not in sandboxes:
            docker("stop", "--time", grace, one)
    for one in of_pod(uid, "--all"):
        docker("rm", "--force", one)


def known_pods():
    form = '{{.Label "io.kubernetes.pod.uid"}}'
    return set(docker("ps", "--all", "--filter", "label=io.kubernetes.pod.uid", "--format", form).split())


def main(directory, sandbox):
    busy = {}
    graces = {}
    while True:
        wanted = manifests(directory)
        for uid in {**wanted, **dict.fromkeys(known_pods())}:
            if uid in busy and busy[uid].is_alive():
                continue
            pod = wanted.get(uid)
            if pod is None:
                work = threading.Thread(target=stop, args=(uid, graces.get(uid, "30")))
            elif len(of_pod(uid)) >= 2:
                continue
            else:
                graces[uid] = pod[4]
                work = threading.Thread(target=start, args=(uid, pod, sandbox))
            busy[uid] = work
            work.start()
        time.sleep(0.5)


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("Kubernetes v1.20.0-stand-in")
        sys.exit()
    flags = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
    main(flags["pod-manifest-path"], flags["sandbox"])
