#!/usr/bin/env python3
"""Brings the options in the man pages up to date with the program's own help.

Usage: man/write-options.py PROGRAM PAGE...

What stands between the lines  .\\" options: begin  and  .\\" options: end  of the page of a command is rewritten; the rest
is written by hand. Pages without these lines are left as they are.
"""

import json
import os
import re
import subprocess
import sys
import textwrap

BEGIN, END = '.\\" options: begin\n', '.\\" options: end\n'


def escaped(text):
    for plain, roff in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("^", "\\(ha"), ("~", "\\(ti"), ("…", "\\[u2026]")):
        text = text.replace(plain, roff)
    return text


def paragraph(text):
    """Lines of at most 78 columns; a sentence begins a line, as mdoc wants it."""
    lines = []
    for sentence in re.split(r"(?<=[.;:]) (?=[A-Z-])", text):
        lines += textwrap.wrap(escaped(sentence), 78, break_long_words=False, break_on_hyphens=False)
    # A line that began with one of these would be taken as a macro.
    return "".join("\\&" * line.startswith((".", "\\(aq")) + line + "\n" for line in lines)


def item(argument):
    if argument["kind"] == "positional":
        dots = " ..." if argument["isRepeating"] else ""
        heading = f".It Ar {escaped(argument['valueName'])}{dots}"
    else:
        value = f" Ar {escaped(argument['valueName'])}" if argument["kind"] == "option" else ""
        names = []
        for name in argument["names"]:
            dash = "\\-" if name["kind"] == "long" else ""
            names.append(f"Fl {dash}{escaped(name['name'])}{value}")
        heading = ".It " + " , ".join(names)
    text = paragraph(argument.get("abstract", ""))
    values = argument.get("allValueStrings") or argument.get("allValues") or []
    notes = []
    if values:
        notes.append("One of " + ", ".join(values) + ".")
    if argument.get("defaultValue"):
        notes.append(f"The default is {argument['defaultValue']}.")
    return f"{heading}\n{text}{''.join(paragraph(note) for note in notes)}"


def options(command):
    groups = {}
    for argument in command["arguments"]:
        if not argument.get("shouldDisplay", True):
            continue
        title = "Arguments" if argument["kind"] == "positional" else argument.get("sectionTitle") or "Options"
        group = groups.setdefault(title, [])
        names = [name["name"] for name in argument.get("names", [])]
        if names and group and names == ["no-" + name["name"] for name in group[-1].get("names", [])]:
            # The second half of a flag such as --progress/--no-progress.
            group[-1]["names"] += argument["names"]
        else:
            group.append(argument)
    # The command's own options first, then those that it shares.
    order = sorted(groups, key=lambda title: {"Arguments": 0, "Options": 1}.get(title, 2))
    text = ""
    for title in order:
        text += f".Ss {title}\n.Bl -tag -width Ds\n{''.join(item(argument) for argument in groups[title])}.El\n"
    return text


def leaves(command, prefix=""):
    """The commands that do something, by the names of their pages: a subcommand of aof is aof-list."""
    for sub in command["subcommands"]:
        name = prefix + sub["commandName"]
        if sub.get("subcommands"):
            yield from leaves(sub, name + "-")
        else:
            yield name, sub


def main():
    program, pages = sys.argv[1], sys.argv[2:]
    dump = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout
    commands = dict(leaves(json.loads(dump)["command"]))
    for page in pages:
        name = os.path.basename(page).removesuffix(".1").removeprefix("rdbkit").lstrip("-")
        with open(page, encoding="utf-8") as file:
            text = file.read()
        if BEGIN not in text:
            continue
        head, rest = text.split(BEGIN)
        tail = rest.split(END)[1]
        new = head + BEGIN + options(commands[name]) + END + tail
        if new != text:
            with open(page, "w", encoding="utf-8") as file:
                file.write(new)
            print(f"{page}: options rewritten")


main()
