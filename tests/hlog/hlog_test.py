#!/usr/bin/env python3
"""A log of `shmatch latency --hlog`, loaded by a public reader, says what the command said.

usage: hlog_test.py SHMATCHD SHMATCH FOLDER_OF_THE_BUILD

The reader is installed by npm into FOLDER_OF_THE_BUILD, once. Exit status 77 when that cannot be
done: the test is skipped then.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
DEADLINE_SECONDS = 300
HERE = pathlib.Path(__file__).resolve().parent


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def install(folder):
    """The public reader in `folder`/node_modules, of the version that package.json names."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"there is no {program}; tools/install-packages --tests installs it")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text()
    installed = folder / "package.json"
    if installed.exists() and installed.read_text() == wanted and (
            folder / "node_modules/hdr-histogram-js/package.json").exists():
        return
    shutil.copyfile(HERE / "package.json", installed)
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts",
               "--fetch-retries=1", "--fetch-timeout=30000"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                          timeout=DEADLINE_SECONDS)
    if done.returncode != 0:
        installed.unlink()
        skip("npm cannot install hdr-histogram-js, perhaps for want of a registry: "
             + done.stderr.strip().replace("\n", " ")[-300:])


def measured(shmatchd, shmatch, log, arguments):
    """Runs an engine and a measurement with a log; what the command printed."""
    with tempfile.TemporaryDirectory() as folder:
        socket = folder + "/engine.sock"
        with subprocess.Popen([shmatchd, "--socket", socket, "--idle", "yield"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as engine:
            try:
                assert engine.stdout.readline().startswith("ready"), "the engine does not serve"
                done = subprocess.run(
                    [shmatch, "--socket", socket, "--json", "latency", "--hlog", log,
                     "--interval", "0.1", *arguments],
                    capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS)
            finally:
                engine.kill()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def compare(said, read):
    faults = []
    tags = [tag for tag, value in said.items() if isinstance(value, dict) and "p50_ns" in value]
    assert "cancel_receipt" in tags, said
    for tag in tags:
        if tag not in read:
            faults.append(f"{tag} is not in the log")
            continue
        for key, value in said[tag].items():
            if read[tag][key] != value:
                faults.append(f"{tag}.{key}: the command said {value}, "
                              f"the reader says {read[tag][key]}")
    return faults


def main():
    shmatchd, shmatch, build = sys.argv[1:]
    folder = pathlib.Path(build)
    install(folder)
    faults = []
    for name, arguments in (("closed", ["--count", "2000", "--warm-up", "100"]),
                            ("open", ["--rate", "5000", "--duration", "0.5"])):
        log = str(folder / f"{name}.hlog")
        said = measured(shmatchd, shmatch, log, arguments)
        done = subprocess.run(["node", str(HERE / "read_hlog.js"), log], cwd=folder,
                              capture_output=True, text=True, check=False,
                              timeout=DEADLINE_SECONDS)
        assert done.returncode == 0, done.stderr
        read = json.loads(done.stdout)
        faults += [f"{name}: {fault}" for fault in compare(said, read)]
        if name == "open" and read["cancel_receipt"]["lines"] < 2:
            faults.append("open: half a second in stretches of a tenth is one line")
    print("\n".join(faults) if faults else "the public reader says what the command said")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
