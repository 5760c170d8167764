"""Requests a URL again and again until a file appears; fails if one request did. Usage: steady_requests.py URL STOP_FILE"""

import os
import sys
import time
import urllib.request
from urllib.parse import urlsplit

url, stop_file = sys.argv[1:]
parts = urlsplit(url)
# Python asks the C library, which may not know that *.localhost is loopback.
request = urllib.request.Request(f"http://127.0.0.1:{parts.port}{parts.path}", headers={"Host": parts.netloc})
answered, failed, deadline = 0, [], time.monotonic() + 180
while not os.path.exists(stop_file) and time.monotonic() < deadline:
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()
            answered += 1
    except OSError as error:
        failed.append(str(error))
    time.sleep(0.01)
print(f"{answered} requests answered, {len(failed)} failed {failed[:3]}")
sys.exit(1 if failed or answered == 0 else 0)
