"""Tests of bench/results.py."""
import pathlib
import sys
import unittest
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import results  # noqa: E402


def document(**tests):
    """Two programs, and for each test and unit their numbers, round by round."""
    measured = {}
    for test, units in tests.items():
        measured[test.replace("_", "-")] = {
            program: [{unit: series[i][number] for unit, series in units.items()}
                      for number in range(len(next(iter(units.values()))[i]))]
            for i, program in enumerate(("ours", "theirs"))}
    return {"programs": ["ours", "theirs"], "results": measured}


class Quartile(unittest.TestCase):
    def test_is_low_for_rates_and_high_for_costs(self):
        rounds = [5, 1, 4, 2, 3]
        self.assertEqual(results.worse_quartile(rounds, "Gbit/s"), 2)
        self.assertEqual(results.worse_quartile(rounds, "p50 us"), 4)

    def test_of_one_round_is_that_round(self):
        self.assertEqual(results.worse_quartile([7], "s"), 7)


class Percentile(unittest.TestCase):
    def test_is_one_of_the_values(self):
        for count, share, expected in ((1, 0.5, 1), (1, 0.99, 1), (2, 0.5, 1), (2, 0.51, 2),
                                       (100, 0.99, 99), (101, 0.99, 100), (1000, 0.99, 990),
                                       (4, 0, 1), (4, 1, 4)):
            values = list(range(count, 0, -1))
            self.assertEqual(results.percentile(values, share), expected, (count, share))


class Table(unittest.TestCase):
    def line(self, measured, start):
        return next(l for l in results.table(measured).splitlines() if l.startswith(start))

    def test_judges_rates_by_their_ratio(self):
        holds = document(tcp1={"Gbit/s": ([11.0] * 4, [1.0] * 4)})
        fails = document(tcp1={"Gbit/s": ([11.0, 10.9, 10.9, 12], [1.0] * 4)})
        self.assertTrue(self.line(holds, "| tcp1").endswith("| ratio >= 11 | yes |"))
        self.assertTrue(self.line(fails, "| tcp1").endswith("| ratio >= 11 | no |"))

    def test_judges_our_own_numbers_without_a_peer(self):
        measured = document(peers_10k={"setconf s": ([0.15], [])})
        line = self.line(measured, "| peers-10k")
        self.assertTrue(line.endswith("| ours <= 0.15 | yes |"), line)
        measured = document(peers_10k={"setconf s": ([0.151], [])})
        self.assertTrue(self.line(measured, "| peers-10k").endswith("| no |"))

    def test_says_that_nothing_was_measured(self):
        measured = document(ping={"p50 us": ([50.0], [0.0])})
        self.assertTrue(self.line(measured, "| ping").endswith("| <= 0.5 | not measured |"))

    def test_pairs_the_rounds(self):
        measured = document(udp64={"delivered kpps": ([30.0, 60.0, 90.0], [10.0, 20.0, 30.0])})
        self.assertIn("| 3 | 3 |", self.line(measured, "| udp64"))


class Drawings(unittest.TestCase):
    def test_mark_round_numbers(self):
        for most, step in ((0.09, 0.02), (0.4, 0.1), (1.7, 0.5), (2, 0.5), (2.6, 1), (5, 1),
                           (5.1, 2), (60, 20)):
            self.assertAlmostEqual(results.round_step(most), step, msg=most)

    def test_are_drawn_of_what_was_measured(self):
        self.assertEqual(results.drawings(document()), {})
        sizes = document(sizes={"64 B Gbit/s": ([0.1], [0.05]), "1390 B Gbit/s": ([2.0], [0.5])})
        self.assertEqual(list(results.drawings(sizes)), ["benchmarks-sizes.svg"])

    def test_leave_out_what_costs_us_nothing(self):
        idle = document(peers_10k={"idle CPU %": ([0.0], [0.2]), "setconf s": ([0.1], [1.0])})
        text = results.drawings(idle)["benchmarks-ratios.svg"]
        self.assertIn("setconf", text)
        self.assertNotIn("idle", text)

    def test_show_what_there_is_a_goal_for(self):
        measured = document(flood={"of handshakes kept": ([1.0], [0.7]), "p50 us": ([2.0], [1.0])})
        text = results.drawings(measured)["benchmarks-ratios.svg"]
        self.assertIn("handshakes kept", text)
        self.assertNotIn("p50", text)

    def test_are_sound_also_where_the_peer_is_better(self):
        measured = document(tcp1={"Gbit/s": ([12.0], [1.0]), "CPU s/GB": ([0.1], [1.0])},
                            ping={"p50 us": ([100.0], [10.0])})
        for text in results.drawings(measured).values():
            xml.dom.minidom.parseString(text)
            self.assertIn("ping, p50 us", text)


if __name__ == "__main__":
    unittest.main()
