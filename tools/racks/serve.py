# SPDX-License-Identifier: BSD-2-Clause
"""Gives one image out by HTTP, to BMCs and to firmware. Both may ask for parts (RFC 9110, 14)."""
import contextlib
import http.server
import re
import threading

from .inventory import RackError

# UEFI 2.10, 24.7.1: what firmware goes by.
TYPES = {".efi": "application/efi", ".iso": "application/vnd.efi-iso",
         ".img": "application/vnd.efi-img"}
PIECE = 1 << 20


def range_of(header, size):
    """The first byte and the one behind the last of a request for a part; None if it is for all.
    ValueError where there is no such part."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not found or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        first, last = max(0, size - int(last)), size - 1
    begin, end = int(first), min(int(last or size - 1), size - 1) + 1
    if begin >= end:
        raise ValueError(header)
    return begin, end


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # s; of a connection that says nothing

    def do_HEAD(self):
        self.head()

    def do_GET(self):
        part = self.head()
        if not part:
            return
        with open(self.server.image, "rb") as file:
            file.seek(part[0])
            left = part[1] - part[0]
            while left:
                piece = file.read(min(left, PIECE))
                if not piece:
                    break
                self.wfile.write(piece)
                left -= len(piece)

    def head(self):
        image, size = self.server.image, self.server.image.stat().st_size
        if self.path != f"/{image.name}":
            return self.send_error(404)
        try:
            part = range_of(self.headers.get("Range"), size)
        except ValueError:
            return self.send_error(416)
        begin, end = part or (0, size)
        self.send_response(206 if part else 200)
        self.send_header("Content-Type", TYPES.get(image.suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(end - begin))
        self.send_header("Accept-Ranges", "bytes")
        if part:
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{size}")
        self.end_headers()
        return begin, end

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # who asked went away; what comes of it is on the machine's console


@contextlib.contextmanager
def serving(image, address):
    """The image's URL, for as long as the context lasts."""
    if not image.is_file():
        raise RackError(f"{image}: is missing: run make iso, or name the image in the inventory")
    try:
        server = Server(address, Handler)
    except OSError as e:
        raise RackError(f"rack: serve is {address[0]}:{address[1]}, where this host can't listen: "
                        f"{e.strerror}") from None
    server.image = image
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{address[0]}:{server.server_address[1]}/{image.name}"
    finally:
        server.shutdown()
        server.server_close()
