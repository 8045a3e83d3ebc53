"""Prints the entries of a ZIP archive as JSON, after their checksums have been compared."""

import json
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as archive:
    print(json.dumps({name: archive.read(name).decode() for name in archive.namelist()}))
