"""Tests of bench/pinger.py."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import pinger  # noqa: E402


def packet(message, options=0):
    """An IPv4 packet with so many words of options; only what is looked at is set."""
    return bytes([0x45 + options]) + bytes(19 + 4 * options) + message


def reply(identifier, sequence):
    message = bytearray(pinger.request(identifier, sequence))
    message[0] = pinger.ECHO_REPLY
    return bytes(message)


class Request(unittest.TestCase):
    def test_has_a_checksum_that_makes_the_sum_nought(self):
        for sequence in (0, 1, 255, 256, 65535):
            self.assertEqual(pinger.checksum(pinger.request(0xbeef, sequence)), 0, sequence)


class Answer(unittest.TestCase):
    def test_is_a_reply_to_us(self):
        self.assertEqual(pinger.answered(packet(reply(7, 300)), 7), 300)
        self.assertEqual(pinger.answered(packet(reply(7, 300), options=2), 7), 300)

    def test_is_nothing_else(self):
        for wrong in (packet(reply(8, 300)), packet(pinger.request(7, 300)),
                      packet(reply(7, 300)[:7]), packet(b""), b""):
            self.assertIsNone(pinger.answered(wrong, 7), wrong)


if __name__ == "__main__":
    unittest.main()
