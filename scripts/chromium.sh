#!/bin/sh
# Make sure that a Chromium for the browser tests is there; print its path.
# As root it installs the system's package where none is found; otherwise it says what is missing.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >&2
    command -v chromium
    exit 0
fi
echo "no Chromium was found: install one (Debian: apt-get install chromium), or run this script as root" >&2
exit 1
