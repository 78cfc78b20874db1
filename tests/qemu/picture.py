# SPDX-License-Identifier: BSD-2-Clause
"""What is on a screen, read from QEMU's screendump: its text by the image's own fonts, and QR codes by zbar."""
import struct
import subprocess
from collections import Counter

import qemu_launch as launch  # on the path by conftest.py

BAR = "#"  # what is no character


def read_font(height):
    """Glyphs as tuples of lines, in bits; and their width."""
    file = (launch.BUILD / f"font-{height}.psf").read_bytes()
    if file[:2] == b"\x36\x04":
        start, width, bytes_each = 4, 8, file[3]
    else:
        start, bytes_each, width = (struct.unpack_from("<8I", file)[i] for i in (2, 5, 7))
    line = (width + 7) // 8
    glyphs = {}
    for code in range(0x20, 0x7f):
        glyph = file[start + code * bytes_each:start + (code + 1) * bytes_each]
        lines = tuple(int.from_bytes(glyph[i:i + line], "big") >> (8 * line - width)
                      for i in range(0, bytes_each, line))
        glyphs.setdefault(lines, chr(code))
    return glyphs, width


class Picture:
    def __init__(self, path, font_height, scale=1):
        self.path = path
        _, size, _, pixels = path.read_bytes().split(b"\n", 3)
        self.width, self.height = map(int, size.split())
        assert len(pixels) == self.width * self.height * 3
        self.pixels = pixels
        self.glyphs, self.font_width = read_font(font_height)
        self.font_height, self.scale = font_height, scale

    def pixel(self, x, y):
        at = 3 * (y * self.width + x)
        return self.pixels[at:at + 3]

    def colours(self):
        return Counter(self.pixels[i:i + 3] for i in range(0, len(self.pixels), 3))

    def cell(self, left, top):
        lines = [[self.pixel(left + x * self.scale, top + y * self.scale)
                  for x in range(self.font_width)] for y in range(self.font_height)]
        back = lines[0][0]  # no character has ink there
        bits = tuple(sum((pixel != back) << (self.font_width - 1 - x)
                         for x, pixel in enumerate(line)) for line in lines)
        return self.glyphs.get(bits, BAR)

    def text(self):
        """All rows, without the spaces at their ends."""
        width, height = self.font_width * self.scale, self.font_height * self.scale
        columns, rows = self.width // width, self.height // height
        left, top = self.width % width // 2, self.height % height // 2
        return ["".join(self.cell(left + column * width, top + row * height)
                        for column in range(columns)).rstrip() for row in range(rows)]

    def code(self):
        """The QR code's text; empty: there is none."""
        said = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable",
                               self.path], capture_output=True, text=True)
        return said.stdout.removesuffix("\n")
