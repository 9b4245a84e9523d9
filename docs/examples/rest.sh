#!/bin/sh
# Ask a running Beleg by REST: sh docs/examples/rest.sh [ADDRESS]; BELEG_TOKEN is the bearer token, where the server asks for one.
set -eu
address=${1:-http://127.0.0.1:7860}
set -- --silent --show-error --fail-with-body ${BELEG_TOKEN:+--oauth2-bearer "$BELEG_TOKEN"}

echo "the answer"
curl "$@" "$address/api/v1/ask" --json '{"question": "Wie oft reiste Witkoff nach Russland?"}'

echo && echo "the answer as it comes about, as server-sent events"
curl "$@" --no-buffer "$address/api/v1/stream" --json '{"question": "Wie oft reiste Witkoff nach Russland?"}'

echo && echo "passages"
curl "$@" --get "$address/api/v1/search" --data-urlencode "q=Sicherheitsgarantien" --data "k=2"

echo && echo "articles"
curl "$@" "$address/api/v1/articles"
