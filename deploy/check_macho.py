#!/usr/bin/env python3
"""check_macho.py --minimum 13.0 PROGRAM TBD...: whether a Mach-O for arm64 starts on that macOS.

It must be for macOS of that version, signed (arm64 Macs start nothing else), link nothing but libraries of the system,
and import no symbol that the text stubs (.tbd, version 4) of that system's libraries do not export: a symbol that is
newer links silently, and the program then does not start. Needs lief. Prints what is wrong; exit code 1 then.
"""
import argparse
import re
import sys

import lief

lief.logging.disable()  # it complains of what every linked program has

SYSTEM = ("/usr/lib/", "/System/Library/")


def exported(path):
    """The symbols that a stub's documents list for arm64 Macs."""
    with open(path, encoding="utf-8") as stub:
        text = stub.read()
    names = set()
    # "- targets: [ ... ]" and the lists below it, up to the next block or the end of the section
    for block in re.finditer(r"-\s+targets:\s+\[([^\]]*)\](.*?)(?=\n\s+-\s+targets:|\n\S|\Z)", text, re.S):
        if not re.search(r"\barm64e?-macos", block.group(1)):
            continue
        for kind, listed in re.findall(r"\b([\w-]+):\s+\[(.*?)\]", block.group(2), re.S):
            if kind in ("symbols", "weak-symbols", "thread-local-symbols"):
                names.update(name.strip("'\"") for name in re.split(r"[,\s]+", listed) if name)
    return names


def check(path, minimum, stubs):
    """What is wrong with the program, as sentences."""
    fat = lief.MachO.parse(path)
    if fat is None or fat.size != 1:
        return ["it is no Mach-O of one architecture"]
    program = fat.at(0)
    wrong = []
    if program.header.cpu_type != lief.MachO.Header.CPU_TYPE.ARM64:
        wrong.append(f"it is for {program.header.cpu_type}")
    build = program.build_version
    if build is None or build.platform != lief.MachO.BuildVersion.PLATFORMS.MACOS:
        wrong.append("it does not say that it is for macOS")
    elif list(build.minos)[:2] != minimum:
        wrong.append(f"it is for macOS {build.minos}, wanted {minimum}")
    if not program.has_code_signature:
        wrong.append("it is not signed")
    for library in program.libraries:
        if not library.name.startswith(SYSTEM):
            wrong.append(f"it links {library.name}")
    available = set().union(*(exported(stub) for stub in stubs))
    if len(available) < 1000:
        wrong.append(f"the stubs export {len(available)} symbols: they did not read")
    imports = {symbol.name for symbol in program.imported_symbols}
    if len(imports) < 20:
        wrong.append(f"it imports {len(imports)} symbols: they did not read")
    missing = sorted(imports - available)
    if missing:
        wrong.append("not in that macOS: " + ", ".join(missing))
    if not wrong:
        print(f"{path.rsplit('/', 1)[-1]}: {len(imports)} imported symbols, all in macOS {minimum[0]}; links "
              + ", ".join(library.name for library in program.libraries))
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minimum", required=True)
    parser.add_argument("program")
    parser.add_argument("stubs", nargs="+")
    args = parser.parse_args()
    wrong = check(args.program, [int(part) for part in args.minimum.split(".")], args.stubs)
    for sentence in wrong:
        print(f"{args.program}: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
