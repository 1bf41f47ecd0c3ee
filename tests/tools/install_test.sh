#!/usr/bin/env bash
# install_test.sh - what a stranger meets: installs into a folder, builds programs in
# C and C++ with nothing but what pkg-config says, shared and static, runs them,
# stages with DESTDIR as packagers do, and takes everything away again. A store that
# needs a server is opened where none listens, and has to say so.
set -euo pipefail
O=${O:-build}
root=$PWD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
prefix=$dir/prefix
step=start
trap 'echo "install_test: failed at: $step"' ERR
make="make -s --no-print-directory O=$O"

step="make install"
$make install PREFIX="$prefix"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
version=$(pkg-config --modversion mereau-sqlite)

mkdir "$dir/outside"
cd "$dir/outside"
cat >program.c <<'C'
#include <mereau/mereau.h>
#include <mereau/sqlite.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    mereau_store *store = NULL;
    mereau_status status;
    if (argc != 3 || strcmp(mereau_version(), argv[1]) != 0) {
        printf("version %s\n", mereau_version());
        return 1;
    }
    status = mereau_sqlite_open(&store, argv[2], NULL);
    if (status != MEREAU_OK || store == NULL) {
        printf("status %d\n", (int)status);
        return 1;
    }
    mereau_store_close(store);
    return mereau_constant("MAX_KEY") == MEREAU_MAX_KEY ? 0 : 1;
}
C
cp program.c program.cc
warn="-Wall -Wextra -pedantic -Werror"

step="C, shared"
${CC:-cc} $warn -std=c99 program.c $(pkg-config --cflags --libs mereau-sqlite) -o c-shared
step="C++, shared"
g++ $warn -std=c++11 program.cc $(pkg-config --cflags --libs mereau-sqlite) -o cc-shared
# Ours from a folder without shared ones; not all of what it needs has a static form
# in every distribution (Debian has no libcjson.a).
mkdir archives
cp "$prefix"/lib/*.a archives
pc="pkg-config --static --define-variable=libdir=$PWD/archives --cflags --libs"
step="C, static"
${CC:-cc} $warn program.c $($pc mereau-sqlite) -o c-static
step="C++, static"
g++ $warn program.cc $($pc mereau-sqlite) -o cc-static
for p in c-shared cc-shared c-static cc-static; do
    step="running $p"
    case $p in
    *-shared) LD_LIBRARY_PATH=$prefix/lib "./$p" "$version" "$dir/$p.db" ;;
    *) env -u LD_LIBRARY_PATH "./$p" "$version" "$dir/$p.db" ;;
    esac
done
step="soname"
readelf -d c-shared | grep -q 'NEEDED.*libmereau-sqlite\.so\.0\]'
step="mereau-testing by pkg-config"
printf '#include <mereau/testing.h>\nint main(void) { mereau_testbed_free(0); return 0; }\n' >t.c
${CC:-cc} $warn t.c $(pkg-config --cflags --libs mereau-testing) -o t
LD_LIBRARY_PATH=$prefix/lib ./t

cat >front.c <<'C'
#include <mereau/front.h>
#include <mereau/mereau.h>

int main(void)
{
    mereau_store *store = NULL, *above = NULL;
    uint64_t asked, answered;
    size_t bytes;
    if (mereau_memory_open(&store, NULL) != MEREAU_OK ||
        mereau_group_open(&above, store, NULL) != MEREAU_OK)
        return 1;
    store = above;
    if (mereau_read_cache_open(&above, store, 4096, 1000, NULL) != MEREAU_OK ||
        mereau_read_cache_counts(above, &asked, &answered, &bytes) != MEREAU_OK)
        return 1;
    mereau_store_close(above);
    return asked == 0 ? 0 : 1;
}
C
cat >postgres.c <<'C'
#include <mereau/mereau.h>
#include <mereau/postgres.h>
#include <stdio.h>

int main(void)
{
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    mereau_status status = mereau_postgres_open(
        &store, "host=127.0.0.1 port=1 dbname=none", &err);
    printf("%s: %s\n", err.rule, err.text);
    return status == MEREAU_E_STORE && store == NULL ? 0 : 1;
}
C
cat >redis.c <<'C'
#include <mereau/mereau.h>
#include <mereau/redis.h>
#include <stdio.h>

int main(void)
{
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_redis_settings settings = MEREAU_REDIS_SETTINGS_INIT;
    mereau_store *store = NULL;
    mereau_status status;
    settings.host = "127.0.0.1";
    settings.port = 1;
    status = mereau_redis_open(&store, &settings, &err);
    printf("%s: %s\n", err.rule, err.text);
    return status == MEREAU_E_STORE && store == NULL ? 0 : 1;
}
C
refusals= # what the two last ones say
for store in front postgres redis; do
    if [ ! -e "$prefix/lib/pkgconfig/mereau-$store.pc" ]; then
        # Only where it was not built either.
        step="mereau-$store was built and is not installed"
        if grep -qw "mereau-$store" "$root/$O/libraries"; then false; fi
        echo "mereau-$store is not built here, so not tried"
        continue
    fi
    cp $store.c $store.cc
    step="mereau-$store, C, shared"
    ${CC:-cc} $warn -std=c99 $store.c $(pkg-config --cflags --libs mereau-$store) -o $store-shared
    step="mereau-$store, C++, shared"
    g++ $warn -std=c++11 $store.cc $(pkg-config --cflags --libs mereau-$store) -o $store-cc
    step="mereau-$store, C, static"
    ${CC:-cc} $warn $store.c $($pc mereau-$store) -o $store-static
    step="mereau-$store, running"
    for p in shared cc; do
        refusals+=$(LD_LIBRARY_PATH=$prefix/lib ./$store-$p)$'\n'
    done
    refusals+=$(env -u LD_LIBRARY_PATH ./$store-static)$'\n'
    step="mereau-$store, what it is linked with"
    readelf -d $store-shared | grep -q "NEEDED.*libmereau-$store\.so\.0\]"
    if readelf -d $store-static | grep 'NEEDED.*mereau'; then false; fi
done
sort -u <<<"$refusals" | grep . || true
cd "$root"

step="make uninstall"
$make uninstall PREFIX="$prefix"
left=$(find "$prefix" ! -type d)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }

# The verifying half alone: no store, no engine, nothing of theirs in headers or links.
step="make install-verify"
$make install-verify PREFIX="$prefix"
step="a verifier, alone"
cat >"$dir/outside/verifier.c" <<'C'
#include <mereau/verify.h>

int main(void)
{
    mereau_verifier *v = mereau_verifier_new("https://id.example", "https://api.example");
    int bad = mereau_verifier_ready(v, NULL) != MEREAU_E_INCOMPLETE;
    mereau_verifier_free(v);
    return bad;
}
C
(cd "$dir/outside"
    ${CC:-cc} $warn -std=c99 verifier.c $(pkg-config --cflags --libs mereau-verify) -o v
    LD_LIBRARY_PATH=$prefix/lib ./v
    rm -rf archives/* && cp "$prefix"/lib/*.a archives
    ${CC:-cc} $warn -std=c99 verifier.c $($pc mereau-verify) -o v-static && ./v-static)
step="examples that need the verifying half only"
for e in verify_only tokens; do
    ${CC:-cc} $warn -std=c99 "examples/$e.c" $(pkg-config --cflags --libs mereau-verify) -o "$dir/$e"
done
LD_LIBRARY_PATH=$prefix/lib "$dir/tokens" >"$dir/tokens.out"
grep -q '^ID token: good' "$dir/tokens.out"
step="only the verifying half is there"
left=$(find "$prefix/lib" -name '*mereau*' ! -name '*mereau-verify*')
[ -z "$left" ] || { echo "more than was asked for: $left"; exit 1; }
if ls "$prefix/include/mereau" | grep -E '^(host|op|ctx|mereau|sqlite)\.h$'; then exit 1; fi
readelf -d "$prefix/lib/libmereau-verify.so" | grep NEEDED
$make uninstall PREFIX="$prefix"

# As a packager: DESTDIR, and a LIBDIR outside the usual place.
step="staging"
where="PREFIX=/usr LIBDIR=/usr/lib/any-triplet DESTDIR=$dir/stage"
$make install $where
step="what was staged"
(cd "$dir/stage" && find . -type f -o -type l) | sort >"$dir/staged"
for f in include/mereau/mereau.h lib/any-triplet/libmereau.so.0 \
    lib/any-triplet/libmereau-sqlite.a lib/any-triplet/pkgconfig/mereau.pc \
    share/doc/mereau/LICENSE; do
    grep -qx "./usr/$f" "$dir/staged" || { echo "not staged: $f"; exit 1; }
done
if grep -v '^\./usr/' "$dir/staged"; then exit 1; fi # "! grep" would not end this
step="no build folder in what was staged"
if grep -rlF -e "$dir" -e "$root" "$dir/stage/usr/lib/any-triplet/pkgconfig"; then exit 1; fi
step="uninstall of what was staged"
$make uninstall $where
left=$(find "$dir/stage" ! -type d -o -name '*mereau*')
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
echo "installed, built outside, ran, uninstalled: $version"
