#!/usr/bin/env python3
"""Records pipe.svg, the terminal of README: runs the commands below on the example shop and draws what they print, line after line, in a loop.

ATTUNE_BIN=build/release/tools share/pictures/record.py >share/pictures/pipe.svg
"""
import html
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).parent.parent.parent
WIDTH, ROW, COLUMNS = 960, 21, 108
PLACES = {"ATTUNE_LOG": "file:log", "ATTUNE_STORE": "rocksdb:profiles", "ATTUNE_MODEL": "model"}
ASK = "attune-recommend --catalog catalog.ndjson --customer ana -n 3 --fields name,price"
STEPS = [
    ("export " + " ".join(f"{name}={place}" for name, place in PLACES.items()), None),
    ("attune-produce events.ndjson", None),
    ("attune-profile-update --group shop --until-end --emit none", None),
    ("attune-train -o model", None),
    (ASK, "jq -r '.items[] | \"  \\(.name)  €\\(.price)\"'"),
    ('echo \'{"type":"cart_add","customer":"ana","item":"aurora-5"}\' | attune-produce', None),
    ("attune-profile-update --group shop --until-end", "jq -c '{customer, counts}'"),
    (ASK + " --why", "jq -r '.items[] | \"  \\(.name)  €\\(.price)   \\(.reasons[0].sentence)\"'"),
]


def run(command, directory):
    environment = dict(os.environ, PATH=f"{pathlib.Path(os.environ['ATTUNE_BIN']).resolve()}:{os.environ['PATH']}")
    for name in [name for name in environment if name.startswith("ATTUNE_")]:
        del environment[name]
    environment.update(PLACES)
    done = subprocess.run(["bash", "-c", command], cwd=directory, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def record():
    """(seconds, kind, text) of each row."""
    rows, at = [], 0.4
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("events.ndjson", "catalog.ndjson"):
            shutil.copy(ROOT / "examples/shop" / name, scratch)
        for command, view in STEPS:
            text = command + (f" | {view.split()[0]} …" if view else "")
            pieces = [text[i : i + COLUMNS - 2] for i in range(0, len(text), COLUMNS - 2)]
            for i, piece in enumerate(pieces):
                rows.append((at, "command", ("$ " if i == 0 else "  ") + piece))
            at += 0.9
            for line in run(command + (f" | {view}" if view else ""), scratch):
                rows.append((at, "output", line if len(line) <= COLUMNS else line[: COLUMNS - 1] + "…"))
                at += 0.08
            at += 0.8
    return rows, at + 5


def draw(rows, length):
    height = ROW * (len(rows) + 1) + 24
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">')
    print("<title>Events into a log, into profiles and a model, and the recommendations before and after one cart add</title><style>")
    print("text { white-space: pre; fill: #d9ded9; opacity: 0; animation-iteration-count: infinite; animation-timing-function: step-end; }")
    print(f"text {{ animation-duration: {length:.1f}s; }} .command {{ fill: #8fd0bd; font-weight: 600; }}")
    print("@media (prefers-reduced-motion: reduce) { text { animation: none !important; opacity: 1; } }")
    for i, (at, _, _) in enumerate(rows):
        print(f"#r{i} {{ animation-name: k{i}; }} @keyframes k{i} {{ 0% {{ opacity: 0; }} {100 * at / length:.2f}%, 100% {{ opacity: 1; }} }}")
    print(f'</style><rect width="{WIDTH}" height="{height}" rx="12" fill="#14211d"/>')
    for i, (_, kind, text) in enumerate(rows):
        print(f'<text id="r{i}" class="{kind}" x="18" y="{30 + ROW * i}">{html.escape(text)}</text>')
    print("</svg>")


draw(*record())
