#!/usr/bin/env python3
"""Draws the shop's pictures: pictures/ITEM.svg for each line of catalog.ndjson, from a shape for its kind and a colour for its id.

Run it after a change of the catalogue or of a shape: ./pictures.py. The same catalogue gives the same files.
"""
import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).parent

# (ground, main, dark, light): the paper behind, the thing itself, its shade, what shines on it.
COLOURS = [
    ("#e8efe9", "#4f8a6d", "#2f5a45", "#d5e8dc"),
    ("#f3ebe3", "#c67b4e", "#8a4c28", "#f6d9c4"),
    ("#e6ecf4", "#4c73ad", "#2c4a78", "#d3e0f2"),
    ("#f4e8ea", "#b8596b", "#7d3443", "#f3d3d8"),
    ("#efeae0", "#8b8069", "#544c3b", "#e4dccb"),
    ("#e5f0f1", "#3f8f98", "#245a61", "#cfe8ea"),
    ("#ece9f3", "#7466a8", "#483d73", "#ddd7ee"),
    ("#f5efdc", "#c99a2e", "#876413", "#f4e3b4"),
]
INK = "#2b2d33"
PALE = "#fbfaf7"


def rect(x, y, w, h, r, fill, more=""):
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" fill="{fill}"{more}/>'


def disc(x, y, r, fill, more=""):
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}"{more}/>'


def oval(x, y, rx, ry, fill):
    return f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}" fill="{fill}"/>'


def area(d, fill):
    return f'<path d="{d}" fill="{fill}"/>'


def line(d, colour, width=6):
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"/>'


def turned(angle, *parts):
    return f'<g transform="rotate({angle} 100 100)">{"".join(parts)}</g>'


def join(*parts):
    return "".join(parts)


# Each shape is a function of (main, dark, light) on a square of 200; the ground's shadow lies at y = 168.
def phone(m, d, l):
    return turned(8, rect(66, 32, 68, 136, 14, INK), rect(71, 38, 58, 124, 10, m), rect(71, 100, 58, 62, 10, d, ' opacity=".35"'), disc(100, 46, 3, INK))


def phone_case(m, d, l):
    return turned(-6, rect(62, 30, 76, 140, 18, m), rect(68, 36, 64, 128, 13, d, ' opacity=".25"'), rect(72, 40, 30, 34, 9, d), disc(81, 50, 5, l), disc(93, 62, 5, l))


def screen_glass(m, d, l):
    return turned(8, rect(70, 34, 68, 134, 14, d, ' opacity=".35"'), rect(60, 30, 68, 134, 14, l, ' opacity=".9"'), line("M76 140 L112 54", PALE, 5), line("M92 146 L120 82", PALE, 3))


def charger(m, d, l):
    return join(line("M118 128 C150 128 160 96 150 60", d, 7), rect(58, 72, 66, 92, 14, m), rect(72, 52, 8, 24, 3, INK), rect(102, 52, 8, 24, 3, INK), disc(91, 132, 8, l))


def power_bank(m, d, l):
    return turned(-8, rect(58, 44, 84, 124, 16, m), rect(58, 44, 84, 34, 16, d), *[disc(78 + 14 * i, 62, 3.5, l if i < 3 else m) for i in range(4)])


def stand(m, d, l):
    return join(rect(64, 156, 72, 12, 6, d), line("M100 158 L112 96", d, 10), turned(10, rect(66, 36, 68, 84, 12, m), rect(72, 42, 56, 72, 8, l)))


def care(m, d, l):
    return join(area("M100 30 L150 50 V98 C150 134 128 156 100 168 C72 156 50 134 50 98 V50 Z", m), area("M100 30 V168 C72 156 50 134 50 98 V50 Z", d), line("M78 100 L94 116 L124 80", PALE, 10))


def tablet(m, d, l):
    return turned(-6, rect(46, 36, 108, 132, 12, INK), rect(54, 44, 92, 116, 6, m), area("M54 130 L90 96 L112 118 L130 102 L146 118 V160 H54 Z", d), disc(124, 68, 11, l))


def cover(m, d, l):
    return join(area("M58 40 H146 A10 10 0 0 1 156 50 V158 A10 10 0 0 1 146 168 H58 Z", m), area("M58 40 L40 56 V152 L58 168 Z", d), line("M92 104 H130", l, 5), line("M92 118 H116", l, 5))


def pen(m, d, l):
    return turned(38, rect(92, 28, 16, 112, 6, m), rect(92, 28, 16, 22, 6, d), area("M92 140 H108 L100 166 Z", l), rect(106, 56, 4, 38, 2, d))


def keyboard(m, d, l):
    keys = "".join(rect(44 + 16 * c + 3 * r, 84 + 16 * r, 12, 12, 3, l) for r in range(3) for c in range(7))
    return join(rect(34, 74, 132, 76, 12, m), keys, rect(70, 134, 60, 10, 4, l), rect(34, 144, 132, 8, 4, d))


def reader(m, d, l):
    return turned(4, rect(56, 34, 88, 134, 10, d), rect(64, 44, 72, 98, 4, PALE), *[line(f"M74 {58 + 12 * i} H{126 - (i * 17) % 28}", INK, 3) for i in range(6)], rect(90, 150, 20, 6, 3, m))


def clip_light(m, d, l):
    return join(area("M120 70 L168 118 L96 130 Z", l), line("M70 150 C60 100 84 76 112 66", d, 8), rect(48, 142, 44, 26, 6, m), area("M104 52 L136 66 L120 84 L94 74 Z", m))


def earbuds(m, d, l):
    one = lambda x, s: join(disc(x, 82, 22, m), rect(x - 8 + s, 82, 16, 66, 8, m), disc(x - s * .6, 80, 9, d))
    return join(one(72, 8), one(128, -8), rect(72, 128, 16, 20, 8, l), rect(112, 128, 16, 20, 8, l))


def tips(m, d, l):
    return join(*[join(oval(x, y, 20 * k, 24 * k, m), oval(x, y - 8 * k, 11 * k, 8 * k, d)) for x, y, k in ((66, 120, 1.1), (112, 128, .95), (144, 136, .75), (96, 76, .8))])


def headphones(m, d, l):
    return join(line("M48 118 C48 30 152 30 152 118", d, 11), rect(36, 104, 34, 58, 15, m), rect(130, 104, 34, 58, 15, m), rect(60, 108, 14, 50, 7, l), rect(126, 108, 14, 50, 7, l))


def headphone_stand(m, d, l):
    return join(rect(60, 154, 80, 14, 7, d), rect(94, 62, 12, 96, 4, m), area("M58 70 C58 40 142 40 142 70 L132 72 C128 56 72 56 68 72 Z", d))


def cable(m, d, l):
    return join(line("M60 62 C150 40 160 120 100 112 C44 104 52 168 140 150", m, 9), rect(40, 54, 28, 16, 4, INK), rect(134, 142, 28, 16, 4, INK), rect(32, 58, 10, 8, 2, l), rect(160, 146, 10, 8, 2, l))


def speaker(m, d, l):
    return join(rect(46, 62, 108, 106, 40, m), disc(100, 118, 34, d), disc(100, 118, 14, l), line("M76 62 C76 36 124 36 124 62", d, 8))


def pouch(m, d, l):
    return join(area("M56 78 C40 120 46 168 100 168 C154 168 160 120 144 78 Z", m), rect(54, 66, 92, 16, 8, d), line("M100 74 C118 50 136 52 140 40", l, 5), disc(140, 38, 5, l))


def soundbar(m, d, l):
    return join(rect(24, 108, 152, 44, 16, m), *[line(f"M{40 + 12 * i} 120 V140", d, 5) for i in range(9)], disc(160, 130, 5, l), rect(40, 152, 16, 10, 3, INK), rect(144, 152, 16, 10, 3, INK))


def mount(m, d, l):
    return join(rect(54, 44, 30, 116, 8, m), line("M84 82 H142", d, 12), line("M84 124 H142", d, 12), rect(134, 66, 18, 74, 6, m), *[disc(69, y, 5, l) for y in (60, 102, 144)])


def turntable(m, d, l):
    return join(rect(32, 66, 136, 102, 12, m), disc(88, 116, 42, INK), disc(88, 116, 15, l), disc(88, 116, 3, INK), line("M148 82 V112 L118 136", PALE, 6), disc(148, 82, 8, d))


def stylus(m, d, l):
    return join(turned(24, rect(80, 42, 40, 70, 8, m), area("M84 112 H116 L104 150 H96 Z", d), line("M100 150 V164", INK, 4)), line("M44 168 H156", l, 8))


def brush(m, d, l):
    return turned(-32, rect(90, 28, 20, 76, 9, m), rect(70, 98, 60, 22, 8, d), *[line(f"M{76 + 8 * i} 120 V150", l, 5) for i in range(7)])


def camera(m, d, l):
    return join(rect(34, 70, 132, 92, 14, m), rect(34, 70, 132, 26, 14, d), rect(60, 56, 40, 20, 6, d), disc(106, 118, 36, INK), disc(106, 118, 24, d), disc(98, 110, 8, l), rect(142, 80, 14, 8, 3, l))


def lens(m, d, l):
    return turned(-14, rect(58, 58, 84, 108, 14, INK), rect(52, 84, 96, 30, 6, m), *[line(f"M{60 + 10 * i} 90 V108", d, 4) for i in range(9)], oval(100, 58, 42, 16, d), oval(100, 56, 28, 9, l))


def round_filter(m, d, l):
    return join(disc(92, 110, 52, m), disc(92, 110, 42, l), line("M70 124 L104 80", PALE, 6), line("M92 134 L118 100", PALE, 4))


def card(m, d, l):
    return turned(6, area("M60 36 H118 L140 58 V164 H60 Z", m), *[rect(70 + 15 * i, 44, 8, 22, 2, l) for i in range(4)], rect(70, 92, 60, 56, 6, d), line("M80 110 H118", l, 5), line("M80 126 H104", l, 5))


def battery(m, d, l):
    return join(rect(56, 58, 88, 108, 12, m), rect(74, 46, 52, 16, 5, INK), rect(56, 58, 88, 32, 12, d), area("M106 98 L84 132 H100 L94 156 L118 120 H102 Z", l))


def bag(m, d, l):
    return join(line("M64 80 C64 34 136 34 136 80", d, 8), rect(36, 76, 128, 92, 16, m), rect(36, 76, 128, 40, 16, d), rect(88, 106, 24, 20, 5, l))


def strap(m, d, l):
    return join(line("M62 54 C20 150 120 190 140 112", m, 16), line("M62 54 C20 150 120 190 140 112", d, 3), rect(124, 84, 30, 26, 6, d), disc(66, 46, 13, "none", f' stroke="{l}" stroke-width="7"'))


def tripod(m, d, l):
    return join(line("M100 84 L58 166", d, 9), line("M100 84 L142 166", d, 9), line("M100 84 V160", m, 9), rect(84, 42, 32, 24, 6, INK), rect(90, 62, 20, 28, 5, m), line("M112 70 L146 88", l, 6))


def clamp(m, d, l):
    return join(rect(74, 44, 52, 20, 8, m), rect(74, 128, 52, 20, 8, m), rect(118, 52, 14, 90, 6, d), rect(94, 146, 14, 22, 4, INK), line("M84 72 V120", l, 6))


def printer(m, d, l):
    return join(rect(72, 34, 56, 70, 4, PALE), rect(80, 42, 40, 34, 2, l), rect(42, 84, 116, 84, 16, m), rect(58, 98, 84, 10, 5, INK), disc(138, 144, 7, l))


def paper(m, d, l):
    return join(turned(-12, rect(56, 50, 88, 112, 5, l)), turned(-4, rect(56, 50, 88, 112, 5, m)), turned(5, rect(56, 50, 88, 112, 5, PALE), rect(66, 60, 68, 70, 2, d), disc(116, 80, 9, l), area("M66 122 L88 94 L106 112 L118 102 L134 120 V130 H66 Z", m)))


def desk_lamp(m, d, l):
    return join(area("M126 84 L170 150 H84 Z", l), rect(40, 156, 66, 12, 6, d), line("M72 156 L58 98 L112 58", d, 7), turned(28, area("M96 36 H138 L152 78 H82 Z", m)))


def floor_lamp(m, d, l):
    return join(area("M76 76 L52 150 H148 L124 76 Z", l), line("M100 72 V160", d, 6), rect(74, 156, 52, 12, 6, d), area("M82 26 H118 L134 78 H66 Z", m))


def bulb(m, d, l):
    return join(area("M100 32 C62 32 50 64 58 88 C64 106 80 112 82 130 H118 C120 112 136 106 142 88 C150 64 138 32 100 32 Z", m), line("M84 92 L94 104 L106 92 L116 104", l, 5), *[rect(82, 134 + 11 * i, 36, 8, 4, d) for i in range(3)])


def pendant(m, d, l):
    return join(line("M100 20 V66", INK, 4), area("M100 60 C54 60 36 104 34 122 H166 C164 104 146 60 100 60 Z", m), oval(100, 122, 66, 13, d), oval(100, 124, 28, 8, l))


def hook(m, d, l):
    return join(rect(68, 36, 64, 18, 9, m), line("M100 54 V92 C140 96 140 150 100 150 C74 150 68 130 72 122", d, 11), disc(72, 120, 8, l))


def night_light(m, d, l):
    return join(disc(100, 104, 58, m), disc(122, 88, 48, l, ' opacity=".85"'), disc(84, 130, 6, d), rect(70, 158, 60, 10, 5, d))


def light_strip(m, d, l):
    return join(line("M48 136 C48 60 152 60 152 116 C152 160 84 160 84 120 C84 96 120 96 120 118", d, 16), *[disc(x, y, 5, l) for x, y in ((50, 112), (70, 86), (100, 78), (130, 86), (150, 112), (140, 140), (112, 148), (88, 134))])


def clips(m, d, l):
    return join(*[join(line(f"M{x - 16} {y} V{y - 16} C{x - 16} {y - 40} {x + 16} {y - 40} {x + 16} {y - 16} V{y}", m, 9), rect(x - 24, y, 48, 9, 4, d)) for x, y in ((66, 100), (130, 112), (92, 158))])


def dimmer(m, d, l):
    return join(rect(50, 50, 100, 118, 20, m), disc(100, 106, 34, d), disc(100, 106, 26, l), line("M100 106 L114 90", d, 6))


def lantern(m, d, l):
    return join(line("M68 66 C68 24 132 24 132 66", d, 6), rect(70, 60, 60, 16, 6, m), area("M74 76 H126 L136 146 H64 Z", l), line("M100 84 V140", m, 5), rect(58, 146, 84, 22, 8, m))


def kettle(m, d, l):
    return join(line("M126 66 C166 62 164 128 134 132", d, 9), area("M64 60 H124 L142 156 A12 12 0 0 1 132 168 H58 A12 12 0 0 1 46 156 Z", m), area("M62 74 L36 66 L52 108 Z", d), rect(72, 46, 44, 14, 6, d), disc(94, 42, 7, INK), line("M76 84 L68 140", l, 6))


def strainer(m, d, l):
    return join(disc(88, 104, 46, l), *[line(f"M{54 + 14 * i} 76 V{132}", m, 2.5) for i in range(6)], *[line(f"M52 {80 + 14 * i} H124", m, 2.5) for i in range(5)], disc(88, 104, 46, "none", f' stroke="{d}" stroke-width="9"'), line("M122 136 L156 166", d, 11))


def toaster(m, d, l):
    return join(rect(64, 40, 34, 50, 8, l), rect(104, 46, 34, 44, 8, l), rect(38, 76, 124, 88, 24, m), rect(52, 70, 96, 12, 6, d), rect(150, 104, 18, 10, 4, INK), disc(62, 138, 8, d))


def rack(m, d, l):
    return join(*[line(f"M{44 + 16 * i} 92 V128", m, 5) for i in range(8)], line("M34 92 H166", d, 7), line("M34 128 H166", d, 7), line("M54 128 V160", d, 6), line("M146 128 V160", d, 6), oval(100, 80, 42, 16, l))


def blender(m, d, l):
    return join(area("M64 38 H136 L126 118 H74 Z", l), area("M69 78 H131 L126 118 H74 Z", m), rect(60, 28, 80, 14, 6, d), area("M74 118 H126 L138 168 H62 Z", d), disc(100, 146, 9, l))


def cup(m, d, l):
    return join(area("M64 66 H136 L126 160 A8 8 0 0 1 118 168 H82 A8 8 0 0 1 74 160 Z", m), rect(58, 52, 84, 18, 8, d), rect(84, 40, 22, 14, 5, d), area("M68 100 H132 L129 126 H71 Z", l))


def knife(m, d, l):
    return turned(-38, area("M90 110 V22 C112 50 116 84 112 110 Z", l), line("M90 108 V26", PALE, 3), rect(88, 108, 26, 8, 2, INK), rect(88, 116, 24, 60, 8, m), disc(100, 132, 3, d), disc(100, 156, 3, d))


def stone(m, d, l):
    return turned(-10, rect(40, 92, 120, 40, 8, m), rect(40, 112, 120, 20, 8, d), rect(32, 136, 136, 16, 6, l))


def board(m, d, l):
    return turned(14, rect(52, 50, 96, 118, 16, m), disc(100, 70, 9, l), *[line(f"M66 {98 + 18 * i} H134", d, 3) for i in range(4)])


def oil(m, d, l):
    return join(rect(70, 72, 60, 96, 14, m), rect(86, 44, 28, 32, 6, d), rect(82, 34, 36, 14, 6, INK), rect(78, 98, 44, 42, 6, l), area("M100 104 C92 116 90 120 90 124 A10 10 0 0 0 110 124 C110 120 108 116 100 104 Z", m))


def pan(m, d, l):
    return join(line("M130 120 L172 148", INK, 13), oval(88, 112, 62, 40, d), oval(88, 106, 54, 32, m), oval(76, 98, 22, 10, l))


def lid(m, d, l):
    return join(area("M34 138 C38 84 162 84 166 138 Z", l), rect(30, 134, 140, 16, 8, d), disc(100, 84, 12, m), line("M66 120 C74 108 84 104 94 103", PALE, 5))


def grip(m, d, l):
    return turned(36, rect(80, 30, 40, 138, 18, m), line("M88 48 V150", l, 3), line("M112 48 V150", l, 3), disc(100, 44, 7, d))


def grinder(m, d, l):
    return join(line("M100 52 L140 38", INK, 6), disc(144, 36, 9, m), area("M70 54 H130 L122 94 H78 Z", l), rect(66, 92, 68, 76, 12, m), rect(78, 132, 44, 36, 6, d))


def coffee_filter(m, d, l):
    return join(area("M50 62 H150 L116 164 H84 Z", l), area("M50 62 H150 L144 80 H56 Z", m), *[line(f"M{72 + 14 * i} 84 L{86 + 7 * i} 158", d, 2.5) for i in range(5)])


def espresso(m, d, l):
    return join(rect(44, 38, 112, 130, 14, m), rect(58, 82, 84, 62, 6, d), rect(84, 78, 32, 16, 4, INK), line("M116 86 H150", INK, 7), area("M86 116 H114 L110 138 H90 Z", PALE), rect(52, 150, 96, 18, 6, INK), disc(70, 58, 7, l), disc(92, 58, 7, l))


def tamper(m, d, l):
    return join(area("M100 34 C78 34 76 56 86 76 C90 86 90 98 88 112 H112 C110 98 110 86 114 76 C124 56 122 34 100 34 Z", m), rect(66, 112, 68, 34, 8, l), rect(66, 138, 68, 26, 8, d))


def jug(m, d, l):
    return join(line("M132 84 C166 84 160 140 132 140", d, 9), area("M58 60 L44 50 L66 52 H132 L140 168 H54 Z", m), area("M66 52 H132 L133 66 H60 Z", l))


def sachet(m, d, l):
    return join(turned(-8, rect(52, 48, 66, 112, 6, d)), turned(8, rect(82, 52, 66, 112, 6, m), rect(82, 52, 66, 14, 6, l), area("M115 92 C104 110 102 116 102 122 A13 13 0 0 0 128 122 C128 116 126 110 115 92 Z", l)))


def press(m, d, l):
    return join(line("M100 24 V64", INK, 5), disc(100, 26, 8, m), rect(60, 58, 80, 12, 6, d), rect(64, 70, 72, 92, 8, l), rect(64, 100, 72, 62, 8, d), line("M140 80 C168 80 166 138 140 138", m, 8), rect(58, 158, 84, 10, 5, m))


def mesh(m, d, l):
    return join(disc(100, 108, 56, l), *[disc(100, 108, r, "none", f' stroke="{m}" stroke-width="3"') for r in (14, 26, 38)], line("M46 108 H154", m, 3), line("M100 54 V162", m, 3), disc(100, 108, 56, "none", f' stroke="{d}" stroke-width="8"'))


def dripper(m, d, l):
    return join(area("M44 56 H156 L122 122 H78 Z", m), area("M56 56 H144 L136 72 H64 Z", l), line("M154 66 C176 70 168 104 142 96", m, 7), rect(58, 120, 84, 12, 6, d), area("M72 134 H128 L124 168 H76 Z", l))


def scale(m, d, l):
    return join(rect(38, 108, 124, 56, 14, m), rect(52, 94, 96, 16, 6, d), rect(70, 126, 60, 24, 6, INK), line("M84 138 H116", l, 5))


def beans(m, d, l):
    return join(area("M58 60 H142 L150 168 H50 Z", m), rect(56, 40, 88, 24, 5, d), disc(100, 118, 26, l), turned(24, oval(100, 118, 11, 17, d), line("M100 104 C94 112 106 124 100 132", l, 3)))


def mug(m, d, l):
    return join(line("M130 86 C168 86 162 142 128 140", m, 11), rect(50, 62, 84, 106, 16, m), oval(92, 64, 42, 10, d), rect(60, 92, 10, 52, 5, l))


def chair(m, d, l):
    return join(rect(66, 28, 68, 74, 20, m), rect(76, 40, 48, 50, 12, l, ' opacity=".5"'), rect(56, 108, 88, 20, 10, d), line("M100 128 V148", INK, 8), line("M62 162 L100 146 L138 162", INK, 7), disc(62, 165, 5, INK), disc(138, 165, 5, INK))


def mat(m, d, l):
    return join(area("M52 92 H148 L172 160 H28 Z", m), area("M62 102 H138 L154 150 H46 Z", l), area("M28 160 H172 L170 168 H30 Z", d))


def pillow(m, d, l):
    return join(area("M44 64 C70 50 130 50 156 64 C166 96 166 124 156 152 C130 166 70 166 44 152 C34 124 34 96 44 64 Z", m), area("M60 78 C84 70 116 70 140 78 C146 98 146 118 140 138 C116 146 84 146 60 138 C54 118 54 98 60 78 Z", d), line("M80 108 H120", l, 6))


def desk(m, d, l):
    return join(rect(24, 70, 152, 14, 5, m), rect(44, 84, 12, 80, 3, d), rect(144, 84, 12, 80, 3, d), rect(32, 160, 36, 8, 4, INK), rect(132, 160, 36, 8, 4, INK), rect(66, 34, 56, 36, 4, INK), rect(70, 38, 48, 28, 2, l))


def tray(m, d, l):
    return join(line("M40 72 V120 H160 V72", m, 9), *[line(f"M{56 + 18 * i} 84 V118", d, 4) for i in range(6)], line("M52 104 C84 84 112 124 150 98", l, 7))


def monitor(m, d, l):
    return join(rect(24, 40, 152, 92, 8, INK), rect(30, 46, 140, 80, 4, m), area("M30 108 L76 72 L110 100 L136 82 L170 108 V126 H30 Z", d), disc(140, 66, 9, l), rect(92, 132, 16, 24, 2, d), rect(64, 156, 72, 12, 6, d))


def arm(m, d, l):
    return join(rect(44, 150, 48, 18, 6, d), line("M68 150 V96 L118 70 L150 84", m, 12), disc(68, 96, 10, d), disc(118, 70, 10, d), rect(142, 56, 16, 56, 5, INK))


def rest(m, d, l):
    return join(rect(28, 100, 144, 46, 22, m), rect(28, 122, 144, 24, 12, d), line("M52 114 H132", l, 5))


def mouse(m, d, l):
    return join(line("M100 58 C100 30 130 34 134 20", INK, 5), area("M100 56 C64 56 60 96 60 120 C60 150 78 168 100 168 C122 168 140 150 140 120 C140 96 136 56 100 56 Z", m), line("M100 58 V108", d, 3), line("M62 108 H138", d, 3), rect(95, 74, 10, 22, 5, l))


def pad(m, d, l):
    return turned(-5, rect(34, 60, 132, 96, 14, m), rect(42, 68, 116, 80, 9, "none", f' stroke="{l}" stroke-width="3" stroke-dasharray="6 6"'))


def notebook(m, d, l):
    return turned(-6, rect(58, 34, 92, 132, 8, m), rect(58, 34, 18, 132, 6, d), rect(92, 62, 44, 24, 4, l), rect(140, 34, 6, 132, 0, INK, ' opacity=".5"'))


def backpack(m, d, l):
    return join(line("M82 46 C82 22 118 22 118 46", d, 7), area("M56 84 C56 30 144 30 144 84 V152 A16 16 0 0 1 128 168 H72 A16 16 0 0 1 56 152 Z", m), rect(68, 104, 64, 52, 10, d), line("M80 122 H120", l, 5), line("M74 76 H126", d, 5), rect(46, 100, 14, 50, 7, d), rect(140, 100, 14, 50, 7, d))


def rain_cover(m, d, l):
    return join(area("M50 92 C50 24 150 24 150 92 L156 160 C120 172 80 172 44 160 Z", m), line("M60 158 C86 166 114 166 140 158", d, 6), *[area(f"M{x} {y} C{x - 6} {y + 10} {x - 6} {y + 16} {x} {y + 16} C{x + 6} {y + 16} {x + 6} {y + 10} {x} {y} Z", l) for x, y in ((78, 74), (110, 62), (96, 108), (128, 102))])


def suitcase(m, d, l):
    return join(line("M82 52 V26 H118 V52", INK, 6), rect(54, 48, 92, 112, 14, m), *[line(f"M{74 + 17.5 * i} 60 V148", d, 5) for i in range(4)], disc(70, 164, 6, INK), disc(130, 164, 6, INK), rect(90, 96, 20, 12, 3, l))


def cubes(m, d, l):
    return join(rect(38, 112, 84, 56, 8, m), rect(84, 84, 76, 50, 8, d), rect(54, 52, 64, 46, 8, l), line("M48 126 H112", l, 4), line("M94 98 H150", m, 4), line("M64 64 H108", m, 4))


def tag(m, d, l):
    return turned(20, line("M100 60 C86 30 114 18 100 40", INK, 5), area("M76 66 L100 48 L124 66 V156 A8 8 0 0 1 116 164 H84 A8 8 0 0 1 76 156 Z", m), disc(100, 70, 6, l), line("M88 102 H112", l, 5), line("M88 118 H112", l, 5), line("M88 134 H102", l, 5))


def bottle(m, d, l):
    return join(rect(86, 26, 28, 24, 6, INK), area("M84 50 H116 C134 66 136 78 136 92 V152 A16 16 0 0 1 120 168 H80 A16 16 0 0 1 64 152 V92 C64 78 66 66 84 50 Z", m), rect(64, 104, 72, 28, 0, d), rect(76, 84, 8, 70, 4, l))


def adapter(m, d, l):
    return join(rect(52, 70, 96, 92, 18, m), rect(64, 84, 72, 40, 10, d), rect(78, 46, 10, 28, 3, INK), rect(112, 46, 10, 28, 3, INK), disc(86, 104, 5, l), disc(114, 104, 5, l), rect(78, 138, 20, 8, 3, l), rect(104, 138, 20, 8, 3, l))


def neck_pillow(m, d, l):
    return join(line("M62 158 C26 60 174 60 138 158", m, 40), line("M70 130 C62 84 138 84 130 130", d, 5), disc(62, 158, 8, l), disc(138, 158, 8, l))


def umbrella(m, d, l):
    return join(line("M100 50 V148 C100 170 72 170 72 150", INK, 6), area("M28 106 C32 36 168 36 172 106 C160 96 146 96 136 106 C124 96 112 96 100 106 C88 96 76 96 64 106 C54 96 40 96 28 106 Z", m), area("M100 50 C84 60 70 84 64 106 C76 96 88 96 100 106 C112 96 124 96 136 106 C130 84 116 60 100 50 Z", d), line("M100 38 V48", l, 6))


def console(m, d, l):
    return join(rect(28, 70, 144, 84, 20, INK), rect(54, 80, 92, 64, 6, m), disc(41, 100, 8, l), rect(34, 122, 14, 14, 4, d), disc(159, 100, 5, l), disc(159, 118, 5, d), area("M66 132 L92 104 L108 120 L122 108 L138 132 Z", l))


def controller(m, d, l):
    return join(area("M58 76 H142 C170 76 178 152 160 162 C142 170 136 138 122 134 H78 C64 138 58 170 40 162 C22 152 30 76 58 76 Z", m), line("M66 92 V112", l, 7), line("M56 102 H76", l, 7), *[disc(x, y, 5, l) for x, y in ((134, 92), (146, 102), (122, 102), (134, 112))], disc(86, 122, 9, d), disc(114, 122, 9, d))


def dock(m, d, l):
    return join(rect(60, 54, 80, 84, 16, m), rect(70, 64, 60, 50, 6, l), area("M40 124 H160 L168 168 H32 Z", d), disc(100, 150, 6, l))


def grips(m, d, l):
    return join(*[join(disc(x, y, 26, m), disc(x, y, 17, d), *[disc(x + dx, y + dy, 2.5, l) for dx, dy in ((0, -8), (8, 0), (0, 8), (-8, 0), (0, 0))]) for x, y in ((70, 82), (132, 94), (86, 142))])


def game(m, d, l):
    return join(rect(40, 56, 120, 110, 8, m), rect(40, 56, 16, 110, 6, d), area("M66 136 C84 108 98 152 116 124 C128 106 138 122 148 112 V158 H66 Z", l), disc(122, 86, 13, l))


def sleeves(m, d, l):
    return join(turned(-16, rect(66, 46, 66, 96, 6, d)), rect(68, 50, 66, 100, 6, m), turned(14, rect(70, 56, 66, 104, 6, l), rect(78, 64, 50, 88, 4, PALE), disc(103, 108, 14, m)))


def puzzle(m, d, l):
    return join(rect(44, 52, 54, 54, 4, m), rect(102, 52, 54, 54, 4, d), rect(44, 110, 54, 54, 4, d), turned(12, rect(106, 112, 54, 54, 4, l)), disc(100, 79, 11, m), disc(71, 108, 11, d), disc(129, 108, 9, l))


def drone(m, d, l):
    arms = "".join(line(f"M100 100 L{x} {y}", d, 8) for x, y in ((52, 68), (148, 68), (52, 138), (148, 138)))
    rotors = "".join(join(oval(x, y - 6, 30, 7, l), disc(x, y, 8, INK)) for x, y in ((52, 68), (148, 68), (52, 138), (148, 138)))
    return join(arms, rotors, rect(72, 82, 56, 44, 18, m), disc(100, 112, 9, INK))


def propellers(m, d, l):
    one = lambda x, y, a: f'<g transform="translate({x} {y}) rotate({a})">{oval(0, -22, 8, 24, m)}{oval(0, 22, 8, 24, d)}{disc(0, 0, 7, INK)}</g>'
    return join(one(68, 84, 30), one(132, 92, 80), one(96, 138, -40))


def telescope(m, d, l):
    return join(line("M104 104 L74 168", INK, 7), line("M104 104 L134 168", INK, 7), turned(-26, rect(38, 72, 104, 34, 10, m), rect(128, 66, 24, 46, 8, d), rect(24, 80, 20, 18, 5, INK), rect(74, 62, 40, 10, 4, d)), disc(104, 104, 8, l))


SHAPES = {
    "phones": phone, "phone-cases": phone_case, "screen-glass": screen_glass, "chargers": charger, "stands": stand, "care": care,
    "tablets": tablet, "tablet-covers": cover, "pens": pen, "keyboards": keyboard, "readers": reader, "clip-lights": clip_light,
    "earbuds": earbuds, "tips": tips, "headphones": headphones, "headphone-stands": headphone_stand, "cables": cable, "speakers": speaker,
    "pouches": pouch, "soundbars": soundbar, "mounts": mount, "turntables": turntable, "styluses": stylus, "brushes": brush,
    "cameras": camera, "lenses": lens, "filters-uv": round_filter, "cards": card, "batteries": battery, "camera-bags": bag, "straps": strap,
    "tripods": tripod, "clamps": clamp, "printers": printer, "papers": paper, "desk-lamps": desk_lamp, "floor-lamps": floor_lamp,
    "bulbs": bulb, "pendants": pendant, "hooks": hook, "night-lights": night_light, "light-strips": light_strip, "clips": clips,
    "dimmers": dimmer, "lanterns": lantern, "kettles": kettle, "strainers": strainer, "toasters": toaster, "racks": rack,
    "blenders": blender, "cups": cup, "knives": knife, "sharpeners": stone, "boards": board, "oils": oil, "pans": pan, "lids": lid,
    "grips": grip, "grinders": grinder, "coffee-filters": coffee_filter, "espresso-machines": espresso, "tampers": tamper, "jugs": jug,
    "descalers": sachet, "presses": press, "meshes": mesh, "drippers": dripper, "scales": scale, "beans": beans, "mugs": mug,
    "chairs": chair, "mats": mat, "pillows": pillow, "desks": desk, "trays": tray, "monitors": monitor, "arms": arm, "rests": rest,
    "mice": mouse, "pads": pad, "notebooks": notebook, "backpacks": backpack, "covers": rain_cover, "suitcases": suitcase, "cubes": cubes,
    "tags": tag, "bottles": bottle, "adapters": adapter, "umbrellas": umbrella, "consoles": console, "controllers": controller,
    "docks": dock, "board-games": game, "sleeves": sleeves, "puzzles": puzzle, "drones": drone, "propellers": propellers,
    "telescopes": telescope,
}
OWN = {"power-bank": power_bank, "thumb-grips": grips, "neck-pillow": neck_pillow, "puzzle-mat": mat}


def picture(item, kind):
    ground, main, dark, light = COLOURS[hashlib.sha256(item.encode()).digest()[0] % len(COLOURS)]
    shape = OWN.get(item) or SHAPES[kind]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">'
        f'<rect width="200" height="200" fill="{ground}"/><ellipse cx="100" cy="172" rx="62" ry="7" fill="{dark}" opacity=".18"/>'
        f"{shape(main, dark, light)}</svg>\n"
    )


def main():
    folder = HERE / "pictures"
    folder.mkdir(exist_ok=True)
    wanted = set()
    for text in (HERE / "catalog.ndjson").read_text().splitlines():
        product = json.loads(text)
        path = folder / f"{product['item']}.svg"
        path.write_text(picture(product["item"], product["categories"][0]))
        wanted.add(path)
    for path in set(folder.glob("*.svg")) - wanted:
        path.unlink()


if __name__ == "__main__":
    main()
