"""What a figure depends on beside the code: the machine, its settings, the build, the commit."""

import json
import os
import pathlib
import re
import shlex
import subprocess

CLOCKSOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
NOT_OFFERED = "not offered by this machine"


def first_line(path):
    """The file's first line, or None."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").split("\n")[0].strip()
    except OSError:
        return None


def chosen(path):
    """`madvise` of "always [madvise] never"."""
    match = re.search(r"\[(\w+)\]", first_line(path) or "")
    return match.group(1) if match else NOT_OFFERED


def output_of(*command, folder=None):
    """What a command prints, or None when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def cpu_information():
    """Name and flags of the first processor."""
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^([^\t\n]+)\t*: *(.*)$", text.split("\n\n")[0], re.MULTILINE))
    return fields.get("model name", "unknown"), set(fields.get("flags", "").split())


def caches():
    """Sizes as "L2 Unified 1024K", of the first processor."""
    found = []
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (first_line(index / name) for name in ("level", "type", "size"))
        found.append(f"L{level} {kind} {size}")
    return found


def operating_system():
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)',
                      pathlib.Path("/etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)
    return match.group(1) if match else "unknown"


def machine():
    """The report's `machine`."""
    name, flags = cpu_information()
    transparent = "/sys/kernel/mm/transparent_hugepage/"
    constant = {"constant_tsc", "nonstop_tsc"} <= flags
    return {
        "cpu": name,
        "processors": len(os.sched_getaffinity(0)),
        "virtual": "hypervisor" in flags,
        "caches": caches(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "system": operating_system(),
        "kernel": os.uname().release,
        "governor": first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
                    or NOT_OFFERED,
        "isolated_cpus": first_line("/sys/devices/system/cpu/isolated") or "none",
        "huge_pages": {
            "transparent": chosen(transparent + "enabled"),
            "shared_memory": chosen(transparent + "shmem_enabled"),
            "reserved": int(first_line("/proc/sys/vm/nr_hugepages") or 0),
        },
        "timer_source": ("rdtscp, constant and running in all states" if constant
                         else "rdtscp, not constant") if "rdtscp" in flags else "steady_clock",
        "clocksource": first_line(CLOCKSOURCE) or "unknown",
        "load_at_start": os.getloadavg()[0],
    }


def build_facts(project, build):
    """The report's `build`: what the programs in the folder `build` were made from and with."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    command = next(c["command"] for c in commands if c["file"].endswith("bench/round_trip.cpp"))
    words = [word for word in shlex.split(command.split(" -o ")[0]) if "ccache" not in word]
    flags, skip = [], False
    for word in words[1:]:
        if skip or word.startswith(("-I", "-isystem", "-W", "-D")):
            skip = word == "-isystem"
            continue
        flags.append(word)
    dirty = output_of("git", "status", "--porcelain", "--untracked-files=no", folder=project)
    return {
        "compiler": (output_of(words[0], "--version") or words[0]).split("\n")[0],
        "flags": " ".join(flags),
        "commit": output_of("git", "rev-parse", "HEAD", folder=project) or "unknown",
        "modified": bool(dirty),
    }
