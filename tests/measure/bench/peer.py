"""What the programs beside Scriven have in common: they print what `examples/measure.rs` prints, a JSON object a line."""
import json
import os
import statistics
import time

THREADS = int(os.environ.get("BENCH_THREADS") or len(os.sched_getaffinity(0)))


def say(what, value, unit):
    print(json.dumps({"what": what, "value": value, "unit": unit}), flush=True)


def tell(text):
    print(json.dumps({"text": text.strip()}), flush=True)


def median(runs, work):
    """Milliseconds of `work`, behind a run that does not count."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def measure_file(runs, transcribe):
    """Wall and CPU seconds of a recording, with the model loaded."""
    text = transcribe()
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        transcribe()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    say("file-11s-wall", statistics.median(walls), "s")
    say("file-11s-cpu", statistics.median(cpus), "s")
    tell(text)


def resident():
    """Bytes of memory that this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
