"""python3 -m unittest, in this folder: what was recorded becomes the rows and the latencies that it should."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import event_log  # noqa: E402
import summary  # noqa: E402
from summary import FASTER_WHISPER, OURS, WHISPER_CPP  # noqa: E402


def entry(program, **values):
    return {"model": "tiny.en", "program": program, "values": {what.replace("_", "-"): v for what, v in values.items()}}


class Rows(unittest.TestCase):
    def test_a_row_is_the_ratio_of_medians(self):
        ours = [entry(OURS, token=ms) for ms in (1.0, 2.0, 9.0)]
        theirs = [entry(FASTER_WHISPER, token=ms) for ms in (5.0, 4.0, 1.0)]
        (row,) = summary.rows(ours + theirs, summary.ROWS)
        expected = {"what": "token", "model": "tiny.en", "ours": 2.0, "peer": 4.0, "peer_name": FASTER_WHISPER}
        self.assertEqual(row, expected | {"unit": "ms", "ratio": 0.5})

    def test_an_encoder_is_compared_with_what_the_peer_computes_in_it(self):
        ours = entry(OURS, encoder_512=10.0, encoder_keys_512=12.0)
        theirs = [entry(FASTER_WHISPER, encoder_512=20.0), entry(WHISPER_CPP, encoder_keys_512=48.0)]
        rows = summary.rows([ours, *theirs], summary.ROWS)
        self.assertEqual({row["peer_name"]: row["ratio"] for row in rows}, {FASTER_WHISPER: 0.5, WHISPER_CPP: 0.25})

    def test_what_a_peer_has_not_is_left_out(self):
        measured = [entry(OURS, verify_20=5.0, live_cpu=0.5), entry(WHISPER_CPP, live_cpu=1.0)]
        self.assertEqual(summary.rows(measured, summary.ROWS | summary.MORE_ROWS), [])

    def test_columns_are_aligned(self):
        measured = [entry(OURS, token=1.234, file_11s_wall=123.4), entry(WHISPER_CPP, token=2.0, file_11s_wall=0.5)]
        lines = list(summary.table(summary.rows(measured, summary.ROWS)))
        self.assertEqual(lines[0], "what           model    ours  peer  unit  ratio  peer is")
        self.assertEqual(lines[1], "token          tiny.en  1.23  2.00  ms     0.62  whisper.cpp")
        self.assertEqual(lines[2], "file-11s-wall  tiny.en   123  0.50  s       247  whisper.cpp")


class EventLog(unittest.TestCase):
    WORDS = [("one", 0.0, 0.5), ("two", 1.0, 1.5), ("three", 2.0, 2.5)]

    def score(self, *lines):
        events = [dict(zip(("now", "committed", "partial"), line), audio_end=line[0]) for line in lines]
        return event_log.score([*events, {"summary": 1, "audio": 4.0, "cpu_s": 2.0, "rss_mb": 100.0}], self.WORDS)

    def test_latency_runs_from_the_end_of_a_word_to_its_first_line(self):
        scored = self.score((1.0, "", "one"), (2.0, "One,", "two"), (3.0, "One, two", ""))
        self.assertEqual((scored["partial"]["mean"], scored["partial"]["timed"]), (0.5, 2))
        self.assertEqual((scored["commit"]["mean"], scored["missed"]), (1.5, 1))
        self.assertEqual((scored["cpu"], scored["rss"], scored["text"]), (0.5, 100.0, "One, two"))

    def test_a_word_before_its_time_is_a_guess(self):
        scored = self.score((0.6, "", "one two"), (2.5, "", "one two three"))
        self.assertEqual([round(scored["partial"][of], 2) for of in ("timed", "median", "p95")], [3, 0.1, 1.0])

    def test_what_is_taken_back_is_counted(self):
        scored = self.score((1.0, "", "one too"), (2.0, "one", "two"), (3.0, "won", "two"))
        self.assertEqual((scored["erased"], scored["retracted"]), (3 / 2, 1))


if __name__ == "__main__":
    unittest.main()
