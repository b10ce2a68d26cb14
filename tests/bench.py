#!/usr/bin/python3
"""make bench: medians of whole processes, each beside its peer in the same run, as a Markdown table.

One healthy VM as a real user has it: TLS, HTTP/2 and HTTP/1.1 (nghttpx before the simulator), the system's bundle of authorities and the
simulator's own, 30 ms a reply; beside the bare round trips (the longest chain of requests that waited for each other, from the simulator's
log) and beside the real Azure CLI answering the same questions (AZ names it; the simulator must be trusted by it).
--version beside ssh -V, a replay beside ssh -G, both beside the time allowed and with their instructions; a security group of 1,000 rules.
Environment: builddir, srcdir, AZ (a program, or unset), RUNS (default 15)."""
import getpass
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import wire_servers as wire  # noqa: E402
from costlib import count  # noqa: E402
from fleetlib import Fleet, SOURCE  # noqa: E402
from tlslib import Authority, Front  # noqa: E402

BUILD = pathlib.Path(os.environ.get("builddir", "."))
SRC = pathlib.Path(os.environ.get("srcdir", "."))
RUNS = int(os.environ.get("RUNS", "15"))
DOCTOR = str(BUILD / "azssh-doctor")
LATENCY = 30
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
CLIENT, SECRET, TENANT = "00000000-0000-0000-0000-0000000000c1", "sim-secret", "11111111-1111-1111-1111-111111111111"


def sealed():
    """Once more, as root, in namespaces without a way out."""
    if os.geteuid() == 0 and "BENCH_INSIDE" not in os.environ:
        os.environ["BENCH_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-mnp", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv])
    if os.geteuid() == 0:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def measure(argv, env, ok=(0,), runs=RUNS):
    """Medians of (wall ms, CPU ms, peak MiB) of whole processes, after one run that does not count."""
    walls, cpus, peaks, timed = [], [], [], shutil.which("time") is not None
    peak = tempfile.NamedTemporaryFile()  # a process begins with the peak of whoever started it, which is this one, so a small one stands between
    if timed:
        argv = ["/usr/bin/env", "time", "-q", "-f", "%M", "-o", peak.name, *argv]
    for i in range(runs + 1):
        began = time.monotonic()
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = (time.monotonic() - began) * 1000
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in ok:
            sys.exit(f"bench: {argv[0]} ended with {process.returncode}")
        if i:
            walls.append(wall)
            cpus.append((usage.ru_utime + usage.ru_stime) * 1000)
            peaks.append(int(pathlib.Path(peak.name).read_text()) / 1024 if timed else usage.ru_maxrss / 1024)
    return statistics.median(walls), statistics.median(cpus), statistics.median(peaks)


def instructions(argv, env):
    """Millions of instructions, which repeat on any machine, as a remark; nothing where valgrind is not installed."""
    return "" if shutil.which("valgrind") is None else f"{count(argv, env)[0] / 1e6:.1f} million instructions"


def longest_chain(log):
    """The longest row of requests each of which began after the one before had been answered."""
    requests = sorted((json.loads(line) for line in open(log)), key=lambda r: r["done"])
    depth = []
    for i, request in enumerate(requests):
        depth.append(1 + max((depth[j] for j in range(i) if requests[j]["done"] <= request["at"]), default=0))
    return len(requests), max(depth, default=0)


class Simulator:
    def __init__(self, work, world, tls=False):
        self.log, ready = work / "log", work / "ready"
        for path in (self.log, ready):
            path.unlink(missing_ok=True)
        (work / "world.json").write_text(json.dumps(world))
        argv = [str(BUILD / "tests/azssh-sim"), "--world", str(work / "world.json"), "--ready", str(ready), "--log", str(self.log)]
        self.process = subprocess.Popen(argv + (["--tls", str(work / "tls")] if tls else []))
        for _ in range(2400):
            if ready.exists():
                break
            time.sleep(0.05)
        self.url = ready.read_text().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def environment(work, arm):
    home = work / "home"
    home.mkdir(exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "AZURE_CONFIG_DIR": str(work / "az"),
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": arm, "AZURE_AUTHORITY_HOST": arm, "AZSSH_ARM_ENDPOINT": arm,
            "AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": SECRET}


def base_world():
    world = json.loads((SRC / "tests/worlds/base.json").read_text())
    world["latency_ms"] = LATENCY
    return world


def row(what, ours, peer, theirs, note=""):
    ratio = f"{ours[0] / theirs[0]:.2f}" if theirs else "-"
    other = f"{theirs[0]:.1f}" if theirs else "not measured"
    print(f"| {what} | {ours[0]:.1f} | {ours[1]:.1f} | {ours[2]:.1f} | {peer} | {other} | {ratio} | {note} |", flush=True)


def az_commands(az, env):
    """The questions of one report, asked side by side: what a careful user of az would type."""
    rg = ["-g", "rg", "-o", "none"]
    return [[az, "vm", "get-instance-view", "-n", "myVM", *rg], [az, "vm", "show", "-d", "-n", "myVM", *rg],
            [az, "network", "nic", "show", "-n", "myVM-nic", *rg], [az, "network", "nic", "list-effective-nsg", "-n", "myVM-nic", *rg],
            [az, "network", "public-ip", "show", "-n", "myVM-ip", *rg], [az, "security", "jit-policy", "list", "-o", "none"]]


def measure_az(az, work, runs=3):
    """Wall and CPU of the six commands in parallel, signed in before; None when az is not there or does not run."""
    simulator = Simulator(work, base_world(), tls=True)
    host = simulator.url.split("//")[1]
    at, ca = simulator.url, str(work / "tls/ca.pem")
    env = {"PATH": os.environ["PATH"], "HOME": str(work / "home"), "LANG": "C.UTF-8", "AZURE_CONFIG_DIR": str(work / "azcfg"),
           "REQUESTS_CA_BUNDLE": ca, "CURL_CA_BUNDLE": ca, "AZURE_CORE_COLLECT_TELEMETRY": "0", "AZURE_CORE_SURVEY_MESSAGE": "0",
           "AZURE_CORE_NO_COLOR": "1", "AZURE_CORE_ONLY_SHOW_ERRORS": "1"}
    try:
        def run(*argv):
            subprocess.run([az, *argv], env=env, check=True, stdout=subprocess.DEVNULL, timeout=120)
        run("cloud", "register", "-n", "SimCloud", "--profile", "latest", "--endpoint-resource-manager", at, "--endpoint-management", at,
            "--endpoint-gallery", at, "--endpoint-active-directory", at + "/adfs",
            "--endpoint-active-directory-resource-id", "https://management.core.windows.net/",
            "--endpoint-active-directory-graph-resource-id", "https://graph.windows.net/")
        run("cloud", "set", "-n", "SimCloud")
        run("login", "--service-principal", "-u", CLIENT, "-p", SECRET, "--tenant", TENANT, "-o", "none")
        walls, cpus, peak = [], [], 0
        for _ in range(runs):
            began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            processes = [subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for argv in az_commands(az, env)]
            if any(process.wait(timeout=300) for process in processes):
                print(f"bench: az does not answer all questions at {host}", file=sys.stderr)
                return None
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            walls.append((time.monotonic() - began) * 1000)
            cpus.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
            peak = after.ru_maxrss / 1024
        return statistics.median(walls), statistics.median(cpus), peak
    except (OSError, subprocess.SubprocessError) as error:
        print(f"bench: az: {error}", file=sys.stderr)
        return None
    finally:
        simulator.stop()


def evaluation(runs=RUNS):
    """Milliseconds that evaluating 1,000 rules of 4,000 prefixes each side takes; None when the unit tests were not built."""
    times = []
    for _ in range(runs):
        try:
            said = subprocess.run([str(BUILD / "tests/unit/model/nsg/nsg_test")], env={"CK_RUN_CASE": "size", "NSG_TIME": "1", "CK_FORK": "no"}, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, timeout=120).stderr
        except OSError:
            return None
        found = re.search(r"evaluated in ([0-9.]+) ms", said)
        if found:
            times.append(float(found.group(1)))
    return statistics.median(times) if times else None


def many_rules(world, count, prefixes=4):
    for ident, body in world["resources"].items():
        if "/networksecuritygroups/" in ident.lower():
            template = body["properties"]["securityRules"][0]
            rules = []
            for i in range(count):
                rule = json.loads(json.dumps(template))
                rule["name"] = f"rule-{i}"
                rule["id"] = rule["id"].rsplit("/", 1)[0] + f"/rule-{i}"
                rule["properties"].update(priority=100 + i, destinationPortRange=str(10000 + i), sourceAddressPrefix="",
                                          sourceAddressPrefixes=[f"198.{i % 256}.{j % 256}.{j // 256}/32" for j in range(prefixes)])
                rules.append(rule)
            rules[-1]["properties"].update(destinationPortRange="22", sourceAddressPrefixes=["203.0.113.7/32"])
            body["properties"]["securityRules"] = rules
    return world


def probes(work):
    """The conversation alone (wire_probe) and the whole program against OpenSSH with its defaults, beside a login by ssh."""
    if wire.which("sshd") is None:
        return
    keys = {name: wire.keygen(work / name, "-t", kind) for name, kind in (("host", "ed25519"), ("ed25519", "ed25519"), ("rsa", "rsa"))}
    user = getpass.getuser()
    env = {"PATH": os.environ["PATH"], "HOME": str(work / "home"), "LANG": "C.UTF-8"}
    for name in ("ed25519", "rsa"):
        server = wire.Sshd(work / f"sshd-{name}", [keys["host"]], [keys[name]])
        known = work / "known"
        known.write_text(f"[127.0.0.1]:{server.port} {' '.join(wire.public(keys['host']))}\n")
        (work / "config").write_text(f"UserKnownHostsFile {known}\nIdentityFile {keys[name]}\nIdentitiesOnly yes\n")
        login = ["ssh", "-F", str(work / "config"), "-o", "BatchMode=yes", "-p", str(server.port), "-l", user, "127.0.0.1", "true"]
        doctor = [DOCTOR, "--no-azure", "-F", str(work / "config"), "-p", str(server.port), "-l", user, "--host", "127.0.0.1"]
        before = server.connections()
        ours = measure(doctor, env, ok=(0, 3))
        made = (server.connections() - before) / (RUNS + 1)
        row(f"probe of OpenSSH, {name} key", ours, "ssh ... true", measure(login, env), f"{made:g} connection(s); ssh -V and ssh -G included")
        server.stop()
    wire.stop_all()


def one_vm(work, healthy):
    """The rows of one healthy VM, by HTTP/2 and HTTP/1.1, by its name and with its group; the figures of the last."""
    if shutil.which("nghttpx") is None:
        return None
    with Authority() as ca:
        (work / "bundle.pem").write_text(pathlib.Path(SYSTEM).read_text() + ca.text() if os.path.exists(SYSTEM) else ca.text())
        for http2 in (True, False):
            for words in (["myVM"], ["rg/myVM"]):
                simulator = Simulator(work, base_world())
                with Front(simulator, *ca.issue(), http2=http2) as front:
                    env = dict(environment(work, front.url), SSL_CERT_FILE=str(work / "bundle.pem"))
                    subprocess.run(healthy + words, env=env, stdout=subprocess.DEVNULL, check=True)
                    requests, chain = longest_chain(simulator.log)
                    lines = len({connection for connection, _, _ in front.served()})
                    ours, spent = measure(healthy + words, env), instructions(healthy + words, env)
                    row(f"one healthy VM, {words[0]}, HTTP/{2 if http2 else 1.1}", ours, f"{chain} bare round trips", (chain * LATENCY, 0, 0),
                        f"{requests} requests on {lines} connection(s); {spent}")
                simulator.stop()
    return ours


def fleets(work):
    """Fleets of 100, 1,000 and 10,000 VMs (FLEETS names other sizes), Azure's side alone; beside Resource Graph's quota, which the simulator does not hold."""
    for size in map(int, os.environ.get("FLEETS", "100 1000 10000").split()):
        world = base_world()
        world.update(latency_ms=0, page_size=1000)
        world["resources"].update(Fleet(size).resources)
        simulator = Simulator(work, world)
        argv = [DOCTOR, "--no-probe", "--source-ip", SOURCE, "--all", "-f", "ndjson"]
        ours = measure(argv, environment(work, simulator.url), ok=(1,), runs=1)
        asked = [json.loads(line) for line in open(simulator.log)][-1000:]
        graph = sum("ResourceGraph" in request["path"] for request in asked) / 2
        simulator.stop()
        row(f"fleet of {size:,} VMs", ours, "Resource Graph's quota", (max(1, graph / 15 * 5000), 0, 0),
            f"{len(asked) / 2:.0f} requests; a VM: {ours[1] / size:.2f} ms of CPU, {(ours[2] - 13) * 1024 / size:.0f} KiB")


def main():
    sealed()
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench"))
    try:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(work / "key")], check=True)
        print(f"Medians of {RUNS} runs of whole processes; simulator at {LATENCY} ms a reply.\n")
        print("| what | wall ms | CPU ms | peak MiB | beside | its wall ms | ratio | remarks |\n|---|---|---|---|---|---|---|---|")
        healthy = [DOCTOR, "--no-probe", "--source-ip", "203.0.113.7", "-i", str(work / "key")]
        ours = one_vm(work, healthy)
        simulator = Simulator(work, base_world())
        env = environment(work, simulator.url)
        az = os.environ.get("AZ")
        if ours is None:
            ours = measure(healthy + ["rg/myVM"], env)
        row("the same questions", ours, "az, 6 commands in parallel", measure_az(az, work) if az else None)
        probes(work)
        bundle, large = str(work / "bundle"), str(work / "large")
        subprocess.run(healthy + ["--bundle", bundle, "--no-redact", "rg/myVM"], env=env, stdout=subprocess.DEVNULL, check=True)
        simulator.stop()
        simulator = Simulator(work, many_rules(base_world(), 1000))
        env = environment(work, simulator.url)
        subprocess.run(healthy + ["--bundle", large, "--no-redact", "rg/myVM"], env=env, stdout=subprocess.DEVNULL, check=True)
        simulator.stop()
        version, replay = measure([DOCTOR, "--version"], env), measure([DOCTOR, "--replay", bundle], env)
        row("--version", version, "ssh -V", measure(["ssh", "-V"], env))
        row("--version", version, "time allowed", (3, 0, 0), instructions([DOCTOR, "--version"], env))
        row("replay of a bundle", replay, "ssh -G host", measure(["ssh", "-G", "host"], env))
        row("replay of a bundle", replay, "time allowed", (6, 0, 0), instructions([DOCTOR, "--replay", bundle], env))
        fleets(work)
        simulator = Simulator(work, many_rules(base_world(), 1000, 600))
        env = environment(work, simulator.url)
        megabytes = (work / "world.json").stat().st_size / 1e6
        ours = measure(healthy + ["rg/myVM"], env, runs=3)
        simulator.stop()
        print(f"| one healthy VM, security group of {megabytes:.0f} MB | {ours[0]:.1f} | {ours[1]:.1f} | {ours[2]:.1f} | memory allowed | 160 MiB | {ours[2] / 160:.2f} |"
              " ratio of the peaks |", flush=True)
        spent = evaluation()
        if spent is not None:
            row("1,000 rules of 4,000 prefixes each side, evaluated", (spent, spent, 0), "time allowed", (20, 0, 0), "evaluation alone, in the process")
        row("replay, security group of 1,000 rules", measure([DOCTOR, "--replay", large], env), "replay of 1 rule", replay)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
