"""Prints the cells of an XLSX file's sheets as JSON, as openpyxl reads them."""

import datetime
import json
import sys

import openpyxl


def text(value):
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    return str(value)


sheets = openpyxl.load_workbook(sys.argv[1]).worksheets
print(json.dumps([[text(cell) for cell in row] for sheet in sheets for row in sheet.values]))
