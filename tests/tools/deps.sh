#!/bin/sh
# deps.sh core|check|servers|all|bench - finds what building and checking need and is
# not there, says what it will run, and installs it. Silent when nothing is missing.
#
#   core     the libraries and the demo
#   check    and what `make check` uses
#   servers  and the servers of stores, with their clients: `make soak`
#   all      and what `make check-all` uses
#   bench    the libraries and what `make bench` measures beside them
#
# apt is tried by the project; dnf, apk and brew use the same list and are not.
set -u
list=${1:-core}
cc=${CC:-cc}
missing= # words of the table below

has() { command -v "$1" >/dev/null 2>&1; }
need() { missing="$missing $1"; }
header() { printf '#include <%s>\n' "$@" | $cc -E -o /dev/null - >/dev/null 2>&1; }
stddefs='stddef.h stdarg.h stdint.h setjmp.h stdio.h'

find_core() {
    if ! has "$cc"; then
        need compiler; need libc; need mbedtls; need cjson; need sqlite
        cc=false
    # One look for all of them; which one it is only matters when it fails.
    elif ! header stdio.h mbedtls/md.h cjson/cJSON.h sqlite3.h; then
        header stdio.h || need libc
        header stdint.h mbedtls/md.h || need mbedtls
        header stddef.h cjson/cJSON.h || need cjson
        header sqlite3.h || need sqlite
    fi
    [ "${CRYPTO:-}" != openssl ] || header openssl/evp.h || need openssl
    has make || need make
    has pkg-config || need pkgconfig
}

find_check() {
    # shellcheck disable=SC2086
    header $stddefs cmocka.h || need cmocka
    has python3 || need python
    has g++ || need cxx
    has nm || need compiler
    has find || need findutils
}

# The servers of stores, started by the tests themselves.
find_servers() {
    pkg-config --exists libpq || need libpq
    { has postgres || ls /usr/lib/postgresql/*/bin/postgres; } \
        >/dev/null 2>&1 || need postgres
    pkg-config --exists hiredis || need hiredis
    has redis-server || need redis
}

find_all() {
    header openssl/evp.h || need openssl
    find_servers
    has clang || need clang
    has clang-tidy || need clangtidy
    has cppcheck || need cppcheck
    has valgrind || need valgrind
    has mmdebstrap || need mmdebstrap
    has curl || need curl
    has git || need git
    has node || need node
    has npm || need npm
    { has /usr/bin/python3 && /usr/bin/python3 -c 'import jwcrypto' ||
        python3 -c 'import jwcrypto'; } >/dev/null 2>&1 || need jwcrypto
    has jose || need latchset
}

# Libraries of others to be measured beside ours.
find_bench() {
    header openssl/evp.h || need openssl
    pkg-config --exists libjwt || need libjwt
    pkg-config --exists librhonabwy || need rhonabwy
    pkg-config --exists cjose || need cjose
    pkg-config --exists jose || need libjose
}

case $list in
core) find_core ;;
check) find_core; find_check ;;
servers) find_core; find_check; find_servers ;;
all) find_core; find_check; find_all ;;
bench) find_core; find_bench ;;
*) echo "usage: deps.sh core|check|servers|all|bench" >&2; exit 2 ;;
esac
[ -n "$missing" ] || exit 0
if [ "${MEREAU_DEPS_AGAIN:-}" ]; then
    echo "deps: installed, and still not found:$missing" >&2
    exit 1
fi

# word       apt                dnf                apk              brew
table='
compiler     gcc                gcc                gcc              gcc
libc         libc6-dev          glibc-devel        musl-dev         -
cxx          g++                gcc-c++            g++              -
make         make               make               make             make
pkgconfig    pkg-config         pkgconf-pkg-config pkgconf          pkgconf
mbedtls      libmbedtls-dev     mbedtls-devel      mbedtls-dev      mbedtls
openssl      libssl-dev         openssl-devel      openssl-dev      openssl@3
cjson        libcjson-dev       cjson-devel        cjson-dev        cjson
sqlite       libsqlite3-dev     sqlite-devel       sqlite-dev       sqlite
libpq        libpq-dev          libpq-devel        libpq-dev        libpq
postgres     postgresql         postgresql-server  postgresql       postgresql
libjwt       libjwt-dev         libjwt-devel       -                -
rhonabwy     librhonabwy-dev    -                  -                -
cjose        libcjose-dev       cjose-devel        -                -
libjose      libjose-dev        libjose-devel      -                -
hiredis      libhiredis-dev     hiredis-devel      hiredis-dev      hiredis
redis        redis-server       redis              redis            redis
cmocka       libcmocka-dev      libcmocka-devel    cmocka-dev       cmocka
python       python3            python3            python3          python
findutils    findutils          findutils          findutils        findutils
clang        clang              clang              clang            llvm
clangtidy    clang-tidy         clang-tools-extra  clang-extra-tools llvm
cppcheck     cppcheck           cppcheck           cppcheck         cppcheck
valgrind     valgrind           valgrind           valgrind         valgrind
mmdebstrap   mmdebstrap         mmdebstrap         -                -
curl         curl               curl               curl             curl
git          git                git                git              git
node         nodejs             nodejs             nodejs           node
npm          npm                npm                npm              npm
jwcrypto     python3-jwcrypto   python3-jwcrypto   py3-jwcrypto     -
latchset     jose               jose               jose             jose
'
if has apt-get; then column=2
elif has dnf; then column=3
elif has apk; then column=4
elif has brew; then column=5
else column=0; fi

packages() { # column
    for word in $missing; do
        echo "$table" | awk -v w="$word" -v c="$1" '$1 == w && $c != "-" {print $c}'
    done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

give_up() {
    echo "deps: please install: $names" >&2
    exit 1
}

if [ $column = 0 ]; then
    names="$(packages 2) (Debian's names)"
    echo "deps: no apt-get, dnf, apk or brew here" >&2
    give_up
fi
names=$(packages $column)

sudo=
if [ "$(id -u)" != 0 ] && [ $column != 5 ]; then
    if has sudo; then sudo="sudo "; else
        echo "deps: neither root nor sudo" >&2
        give_up
    fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
    echo "deps: $*" >&2
    # Word splitting is wanted: the command is what was printed.
    # shellcheck disable=SC2086,SC2048
    $* </dev/null >"$log" 2>&1 || { tail -n 20 "$log" >&2; give_up; }
}

case $column in
2)
    run ${sudo}apt-get update -qq
    run ${sudo}env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "$names"
    ;;
3) run ${sudo}dnf install -y "$names" ;;
4) run ${sudo}apk add "$names" ;;
5) run brew install "$names" ;;
esac

# Was it enough?
MEREAU_DEPS_AGAIN=1 sh "$0" "$list"
