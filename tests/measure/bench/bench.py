#!/usr/bin/env python3
"""bench.py TARGET_FOLDER: Scriven and its peers in turn, on the same recording and weights. `make bench` runs it.

TARGET_FOLDER is cargo's. BENCH_ROUNDS (3) is how often each has its turn, BENCH_MODELS ("tiny.en base") with which models,
BENCH_RUNS (9) how often each repeats a thing in a turn, BENCH_THREADS the threads of each (all cores), BENCH_LIVE=0 leaves
streaming out. Writes `bench/summary.json`, the rows of `summary.ROWS`, and `bench/details.json`: the machine, all values of
each round, and what was heard.
"""
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys

import summary
from summary import FASTER_WHISPER, OURS, WHISPER_CPP

HERE = pathlib.Path(__file__).resolve().parent
MEASURE, TESTS = HERE.parent, HERE.parent.parent
CACHE = TESTS / "data" / "cache"
RECORDING, WORDS = CACHE / "jfk.wav", TESTS / "data" / "jfk.words.tsv"
sys.path.insert(0, str(MEASURE))
import event_log  # noqa: E402
from alignment import matches, normalise, read_words  # noqa: E402

FLAGS = "avx avx2 fma f16c avx512f avx512_vnni avx_vnni avx512_bf16 amx_int8".split()
# Words of the recording that a program may miss, or it does something else than transcribe.
MISSED = 2


class Bench:
    def __init__(self, target):
        self.target, self.out = target, target / "bench"
        self.rounds = int(os.environ.get("BENCH_ROUNDS") or 3)
        self.runs = os.environ.get("BENCH_RUNS") or "9"
        self.models = (os.environ.get("BENCH_MODELS") or "tiny.en base").split()
        self.threads = os.environ.get("BENCH_THREADS") or str(len(os.sched_getaffinity(0)))
        self.environment = os.environ | {"BENCH_THREADS": self.threads, "RAYON_NUM_THREADS": self.threads}
        self.load = os.getloadavg()[0]
        self.measured, self.deaf = [], []
        self.words = read_words(WORDS)

    def call(self, *command, **variables):
        """Output and the most memory that was held, in MB."""
        environment = self.environment | variables
        child = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment
        )
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"bench: {' '.join(map(str, command))} ended with {child.returncode}")
        return output, usage.ru_maxrss * 1024 / 1e6

    def python(self, script, *arguments):
        return sys.executable, HERE / script, *arguments

    def command(self, program, model):
        return {
            OURS: (self.target / "debug" / "examples" / "measure", CACHE / model),
            FASTER_WHISPER: self.python("faster_whisper_peer.py", CACHE / model),
            WHISPER_CPP: self.python("whisper_cpp_peer.py", self.ggml(model)),
        }[program]

    def ggml(self, model):
        return self.out / f"ggml-{model}-q8_0.bin"

    def prepare(self):
        """Converts the weights for whisper.cpp: from ours, which are converted first."""
        for model in self.models:
            self.call(*self.command(OURS, model), RECORDING, "file", "1")
            weights = CACHE / model
            ours = weights / "converted" / "model.safetensors"
            self.call(*self.python("ggml.py", ours, weights / "tokenizer.json", "q8_0", self.ggml(model)))

    def turn(self, number, program, model, mode):
        say(f"round {number} of {self.rounds}: {program}, {model}, {mode}")
        output, memory = self.call(*self.command(program, model), RECORDING, mode, self.runs)
        lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        values = {line["what"]: line["value"] for line in lines if "what" in line}
        if mode == "file":
            values["file-11s-memory"] = memory
        text = next(line["text"] for line in lines if "text" in line)
        self.keep(number, program, model, values, text)

    def live(self, number, program, model):
        say(f"round {number} of {self.rounds}: {program}, {model}, live")
        folder = self.out / "live" / f"{number}-{model}"
        folder.mkdir(parents=True, exist_ok=True)
        if program == OURS:
            events = folder / f"{RECORDING.stem}.events.jsonl"
            variables = {"BIN": str(self.target / "debug"), "MODEL": model, "WEIGHTS": str(CACHE / model)}
            self.call(MEASURE / "stream.sh", folder, RECORDING, **variables, LANGUAGE_SPOKEN="en")
        else:
            events = folder / "local-agreement.events.jsonl"
            self.call(*self.python("local_agreement.py", CACHE / model, RECORDING, events))
        scored = event_log.score(event_log.read(events), self.words)
        values = {f"live-{what}-{kind}": value for what in ("partial", "commit") for kind, value in scored[what].items()}
        values |= {f"live-{what}": scored[what] for what in ("cpu", "erased", "missed", "retracted")}
        values["live-memory"] = scored["rss"]
        values = {what: value for what, value in values.items() if value is not None}
        self.keep(number, program, model, values, scored["text"], live=True)

    def keep(self, number, program, model, values, text, live=False):
        entry = {"round": number, "program": program, "model": model, "live": live, "values": values, "text": text}
        self.measured.append(entry)
        # Streaming may err, and is measured in how much.
        missed = len(self.words) - len(matches([word for word, *_ in self.words], normalise(text)))
        if missed > MISSED and not live:
            self.deaf.append(f"{program} with {model} missed {missed} of {len(self.words)} words: {text!r}")

    def run(self):
        self.out.mkdir(parents=True, exist_ok=True)
        self.prepare()
        for number in range(1, self.rounds + 1):
            for model in self.models:
                for mode in ("parts", "file"):
                    for program in (OURS, FASTER_WHISPER, WHISPER_CPP):
                        self.turn(number, program, model, mode)
                if os.environ.get("BENCH_LIVE") != "0":
                    for program in (OURS, FASTER_WHISPER):
                        self.live(number, program, model)
        rows, more = (summary.rows(self.measured, table) for table in (summary.ROWS, summary.MORE_ROWS))
        about = self.about()
        write(self.out / "summary.json", rows)
        write(self.out / "details.json", {"about": about, "rows": more, "measured": self.measured})
        machine = f"{about['cpu']}, {about['threads']} threads each, load {about['load']:.1f} at the start"
        print(f"\n{machine}\nours: {about['profile']}; peers: {', '.join(about['peers'])}")
        print(f"medians of {self.rounds} rounds; ratio = ours / peer, below 1 is better\n")
        print("\n".join(summary.table(rows + more)))
        print(f"\n{self.out / 'summary.json'}, {self.out / 'details.json'}")
        if self.deaf:
            raise SystemExit("bench: these figures are worth nothing:\n" + "\n".join(self.deaf))

    def about(self):
        info = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
        of = lambda key: next((l.split(":", 1)[1].strip() for l in info.splitlines() if l.startswith(key)), "?")
        flags = of("flags").split()
        versions = {name: importlib.metadata.version(name) for name in ("ctranslate2", "faster-whisper", "pywhispercpp")}
        return {
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "cpu": of("model name"),
            "cores": os.cpu_count(),
            "threads": int(self.threads),
            "flags": [flag for flag in FLAGS if flag in flags],
            "load": self.load,
            "system": platform.platform(),
            "rounds": self.rounds,
            "runs": int(self.runs),
            "profile": "8-bit weights, without the GPU path, in the profile `dev`: what computes is optimized",
            "peers": [f"{name} {version}" for name, version in versions.items()],
            "versions": versions,
            "same for all": "greedy, temperature 0, no fallback, English given, files with timestamps, tokens without",
        }


def say(what):
    print(f"bench: {what}", file=sys.stderr, flush=True)


def write(path, content):
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    Bench(pathlib.Path(sys.argv[1]).resolve()).run()
