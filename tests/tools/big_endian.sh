#!/bin/sh
# big_endian.sh [JOBS] - in a bare Debian, as root: builds for s390x, which is
# big-endian, and runs the tests of single rooms and of vectors under qemu.
set -eu
arch=s390x-linux-gnu
dpkg --add-architecture s390x
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    gcc-$arch libc6-dev-s390x-cross qemu-user libmbedtls-dev:s390x libcjson-dev:s390x \
    libsqlite3-dev:s390x libcmocka-dev:s390x >/dev/null
make -s --no-print-directory -j"${1:-2}" O=build-s390x CC=$arch-gcc AR=$arch-ar PKG_CONFIG=false \
    CJSON_CFLAGS=-I/usr/include/cjson RUN=qemu-s390x TIMEOUT=1800 JOBS="${1:-2}" testdirs="unit vectors" run-tests
