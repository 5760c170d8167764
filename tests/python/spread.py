"""Prints the distinct answers of N requests in turn, and fails unless two targets alternate. Usage: spread.py URL N"""

import sys
import urllib.request
from urllib.parse import urlsplit

url, count = sys.argv[1], int(sys.argv[2])
parts = urlsplit(url)
request = urllib.request.Request(f"http://127.0.0.1:{parts.port}/", headers={"Host": parts.netloc})
answers = [urllib.request.urlopen(request, timeout=10).read().decode().strip() for _ in range(count)]
repeated = [pair for pair in zip(answers, answers[1:]) if pair[0] == pair[1]]
print(f"{sorted(set(answers))}, the same one twice in a row: {len(repeated)} times")
sys.exit(0 if len(set(answers)) == 2 and not repeated else 1)
