#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the state icons for panels that do not find them by name: ARGB32, network byte order.

    make-pixmaps.py RSVG-CONVERT OUTPUT.c ICON.svg...

Writes the table that pixmaps.h declares.
"""
import os
import struct
import subprocess
import sys
import zlib

SIZES = (22, 24, 32, 48)


def unfilter(kind, line, above):
    """Takes back a PNG filter of one line of RGBA."""
    for i, value in enumerate(line):
        left = line[i - 4] if i >= 4 else 0
        up = above[i]
        corner = above[i - 4] if i >= 4 else 0
        if kind == 4:
            nearest = min((abs(up - corner), 0, left), (abs(left - corner), 1, up),
                          (abs(left + up - 2 * corner), 2, corner))[2]
        else:
            nearest = (0, left, up, (left + up) // 2)[kind]
        line[i] = (value + nearest) & 0xff
    return line


def rgba_lines(png):
    """The lines of pixels of an 8-bit RGBA PNG that is not interlaced."""
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", body)
            assert form == [8, 6, 0, 0, 0], "not a plain RGBA PNG"
        elif kind == b"IDAT":
            data += body
        at += length + 12
    data = zlib.decompress(data)
    stride = 4 * width
    line = bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        line = unfilter(data[start], bytearray(data[start + 1:start + 1 + stride]), line)
        yield line


def argb(png):
    pixels = b"".join(bytes(line) for line in rgba_lines(png))
    return b"".join(pixels[i + 3:i + 4] + pixels[i:i + 3] for i in range(0, len(pixels), 4))


def draw(converter, icon, size):
    png = subprocess.run([converter, "--width", str(size), "--height", str(size), icon],
                         stdout=subprocess.PIPE, check=True).stdout
    pixels = argb(png)
    assert len(pixels) == 4 * size * size, icon
    return pixels


def main():
    converter, output, *icons = sys.argv[1:]
    arrays, rows = [], []
    for icon in icons:
        for size in SIZES:
            numbers = ",".join(str(byte) for byte in draw(converter, icon, size))
            arrays.append(f"static const guint8 p{len(arrays)}[] = {{{numbers}}};\n")
            name = os.path.basename(icon).removesuffix(".svg")
            rows.append(f'    {{ "{name}", {size}, p{len(rows)} }},\n')
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "pixmaps.h"\n\n' + "".join(arrays)
                   + "\nconst BulkheadPixmap bulkhead_pixmaps[] = {\n" + "".join(rows)
                   + "    { NULL },\n};\n")


if __name__ == "__main__":
    main()
