"""What the doubles of HTTP servers listen with."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HTTPServer(ThreadingHTTPServer):
    """Serves in threads between `begin` and `end`, on a free port of loopback.

    `end` does not wait, as for the next poll of `serve_forever`: there are thousands of tests.
    """

    daemon_threads = True
    # With the five of the standard library, eight threads that connect at once meet a full queue.
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def begin(self) -> None:
        """Take connections from now on."""
        self._thread.start()

    def end(self) -> None:
        """Take no more of them; those that are open stay."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.server_close()

    def _serve(self) -> None:
        while True:
            try:
                request, address = self.get_request()
            except OSError:
                return
            self.process_request(request, address)
