#!/usr/bin/env python3
"""docs/store-guide.md says what is: its C is in examples/custom_store.c as it
stands there, and the table it shows is what that program prints."""
import os
import re
import subprocess
import sys

guide = open("docs/store-guide.md", encoding="utf-8").read()
example = open("examples/custom_store.c", encoding="utf-8").read()
blocks = re.findall(r"```(c?)\n(.*?)```", guide, re.S)
bad = 0

code = [text for kind, text in blocks if kind == "c"]
for text in code:
    if text not in example:
        print("not in examples/custom_store.c:\n" + text)
        bad += 1

tables = [text for kind, text in blocks if kind == ""]
program = os.path.join(os.environ.get("O", "build"), "examples", "custom_store")
printed = subprocess.run([program], stdout=subprocess.PIPE, check=True,
                         universal_newlines=True).stdout
if printed not in tables:
    print("the guide shows another table than custom_store prints:\n" + printed)
    bad += 1

print(len(code), "pieces of code,", len(tables), "table")
sys.exit(bad > 0 or len(code) < 3)
