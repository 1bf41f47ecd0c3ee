# libmereau - GNU make. `make help` lists the targets.
#
#   make                      static and shared libraries, in build/
#   make install PREFIX=/usr DESTDIR=stage LIBDIR=/usr/lib/x86_64-linux-gnu
#   make O=build-debug CFLAGS="-O0 -g"
#   make CRYPTO=openssl O=build-openssl      on OpenSSL 3.0 and up, with EdDSA
#
# CC, AR, CPPFLAGS, CFLAGS and LDFLAGS are yours; what the project needs is added to
# them. No file is listed by hand: the rooms of lib/ are taken as they are.

VERSION  = 0.2.0
SOVERSION = 0

O        ?= build
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
DOCDIR   ?= $(PREFIX)/share/doc/mereau
DESTDIR  ?=
CFLAGS   ?= -O2 -g
PKG_CONFIG ?= pkg-config
INSTALL  ?= install
# What computes: mbedtls, or openssl (3.0 and up).
CRYPTO   ?= mbedtls
# How many programs a check builds and runs at once.
JOBS     ?= 2

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

# --- what the project adds to the user's flags --------------------------------
WARNINGS = -Wall -Wextra -Wconversion -Wshadow
ifdef WERROR
WARNINGS += -Werror
endif
std      = -std=c11 $(WARNINGS) -Iinclude -Ilib
lib_flags = $(std) -fPIC -fvisibility=hidden
# Programs that are not the library may use POSIX.
test_flags = $(std) -Itests -Itests/unit -D_POSIX_C_SOURCE=200809L -pthread

# --- other people's libraries: pkg-config if it knows them, else their names --
# (Debian 12 has no .pc file for mbedTLS.) Asked once, and only when needed.
ask  = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null || echo '$(3)')
once = $(eval $(1) := $(2))$($(1))
MBEDTLS_CFLAGS = $(call once,MBEDTLS_CFLAGS,$(call ask,--cflags,mbedcrypto,))
MBEDTLS_LIBS   = $(call once,MBEDTLS_LIBS,$(call ask,--libs,mbedcrypto,-lmbedcrypto))
CJSON_CFLAGS   = $(call once,CJSON_CFLAGS,$(call ask,--cflags,libcjson,))
CJSON_LIBS     = $(call once,CJSON_LIBS,$(call ask,--libs,libcjson,-lcjson))
CMOCKA_CFLAGS  = $(call once,CMOCKA_CFLAGS,$(call ask,--cflags,cmocka,))
CMOCKA_LIBS    = $(call once,CMOCKA_LIBS,$(call ask,--libs,cmocka,-lcmocka))
OPENSSL_CFLAGS = $(call once,OPENSSL_CFLAGS,$(call ask,--cflags,libcrypto,))
OPENSSL_LIBS   = $(call once,OPENSSL_LIBS,$(call ask,--libs,libcrypto,-lcrypto))
CRYPTO_CFLAGS  = $(if $(filter openssl,$(CRYPTO)),$(OPENSSL_CFLAGS),$(MBEDTLS_CFLAGS))
CRYPTO_LIBS    = $(if $(filter openssl,$(CRYPTO)),$(OPENSSL_LIBS),$(MBEDTLS_LIBS))
comma    := ,
core_libs = $(CRYPTO_LIBS) $(CJSON_LIBS) -pthread
has = $(shell $(PKG_CONFIG) --exists '$(1)' 2>/dev/null && echo yes)

# --- adapters: a folder lib/adapters/NAME becomes the library mereau-NAME -------
# NAME_pc is the .pc file of what it stands on. One whose library is not here is left
# out and said so, except SQLite, which is looked for without a .pc file as well, and
# front, which stands on nothing.
# NAME_least, if set, is the oldest version.
sqlite_pc   = sqlite3
postgres_pc = libpq
postgres_least = libpq >= 14
redis_pc    = hiredis
all_adapters := $(sort $(patsubst lib/adapters/%/,%,$(wildcard lib/adapters/*/)))
adapters     := $(foreach a,$(all_adapters),$(if $(filter sqlite front,$(a))$(call has,$(or $($(a)_least),$($(a)_pc))),$(a)))
left_out      = $(filter-out $(adapters),$(all_adapters))

# --- the libraries ------------------------------------------------------------
# mereau-verify reads and makes JWTs and needs no store; mereau builds on it. What the
# one uses of the other's inside is exported under a version of its own, so that two
# releases do not mix.
verify_rooms = base port json crypto crypto/$(CRYPTO) jose
engine_rooms = credential record model transact engine
in_rooms    = $(sort $(foreach r,$(1),$(wildcard lib/$(r)/*.c)))
verify_src  = $(call in_rooms,$(verify_rooms))
engine_src  = $(call in_rooms,$(engine_rooms))
verify_obj  = $(verify_src:%.c=$(O)/%.o)
engine_obj  = $(engine_src:%.c=$(O)/%.o)
testing_src = $(sort $(wildcard lib/testing/*.c))
testing_obj = $(testing_src:%.c=$(O)/%.o)
# The adapters' own copies of small helpers, when they use any; never exported.
helper_obj  = $(filter $(O)/lib/base/% $(O)/lib/port/%,$(verify_obj))

libs   = mereau-verify mereau $(adapters:%=mereau-%) mereau-testing
static = $(libs:%=$(O)/lib%.a)
shared = $(libs:%=$(O)/lib%.so)
pc     = $(libs:%=$(O)/%.pc)
headers = $(filter-out $(left_out:%=include/mereau/%.h),$(sort $(wildcard include/mereau/*.h)))

# The headers of mereau-verify are those that its umbrella brings in.
verify_headers := $(shell sed -nE 's|^\#include <(mereau/[a-z]+\.h)>$$|include/\1|p' include/mereau/verify.h) include/mereau/verify.h

.PHONY: all static shared verify
all: static shared $(pc) $(O)/libraries
	@for a in $(left_out); do echo "mereau-$$a is left out: its library is not here"; done
static: $(static)
shared: $(shared)
# The verifying half alone; says how large it is.
verify: $(O)/libmereau-verify.a $(O)/libmereau-verify.so $(O)/mereau-verify.pc
	@size $(O)/libmereau-verify.so | awk 'NR == 2 {printf "libmereau-verify.so: %d kB of code and constants, %d kB of data\n", $$1 / 1000, ($$2 + $$3) / 1000}'

$(O)/libmereau-verify.a: $(verify_obj)
$(O)/libmereau.a: $(engine_obj)
$(O)/libmereau-testing.a: $(testing_obj)
$(static):
	@rm -f $@
	$(AR) rcs $@ $^

$(O)/helpers.a: $(helper_obj)
	@rm -f $@
	$(AR) rcs $@ $^

# link_shared: name, objects and libraries, map
define link_shared
$(CC) -shared $(CFLAGS) $(LDFLAGS) -Wl,-soname,lib$(1).so.$(SOVERSION) \
	-Wl,--version-script=$(if $(3),$(3),lib/libmereau.map) -Wl,-z,defs -Wl,--as-needed -Wl,--exclude-libs,ALL \
	-o $(O)/lib$(1).so.$(VERSION) $(2)
@ln -sf lib$(1).so.$(VERSION) $(O)/lib$(1).so.$(SOVERSION)
@ln -sf lib$(1).so.$(SOVERSION) $(O)/lib$(1).so
endef

$(O)/libmereau-verify.map: lib/libmereau.map Makefile
	@mkdir -p $(@D)
	@(cat lib/libmereau.map; echo 'MEREAU_PRIVATE_$(VERSION) { global: mru_*; };') >$@
$(O)/libmereau-verify.so: $(verify_obj) $(O)/libmereau-verify.map $(O)/flags
	$(call link_shared,mereau-verify,-Wl$(comma)-Bsymbolic-functions $(verify_obj) $(core_libs),$(O)/libmereau-verify.map)
$(O)/libmereau.so: $(engine_obj) $(O)/libmereau-verify.so lib/libmereau.map $(O)/flags
	$(call link_shared,mereau,$(engine_obj) -L$(O) -lmereau-verify -pthread)
on_mereau = $(O)/helpers.a -L$(O) -lmereau -lmereau-verify
$(O)/libmereau-testing.so: $(testing_obj) $(O)/helpers.a $(O)/libmereau.so
	$(call link_shared,mereau-testing,$(testing_obj) $(on_mereau) -pthread)

# adapter_rules: name
define adapter_rules
$(1)_cflags = $$(call once,$(1)_cflags,$$(if $$($(1)_pc),$$(call ask,--cflags,$$($(1)_pc),)))
$(1)_libs   = $$(call once,$(1)_libs,$$(if $$($(1)_pc),$$(call ask,--libs,$$($(1)_pc),-l$$($(1)_pc))))
$(1)_obj    = $$(patsubst %.c,$$(O)/%.o,$$(sort $$(wildcard lib/adapters/$(1)/*.c)))
$(O)/libmereau-$(1).a: $$($(1)_obj)
$(O)/libmereau-$(1).so: $$($(1)_obj) $(O)/helpers.a $(O)/libmereau.so
	$$(call link_shared,mereau-$(1),$$($(1)_obj) $$(on_mereau) $$($(1)_libs) -pthread)
$(O)/lib/adapters/$(1)/%.o: room_flags = $$($(1)_cflags)
$(O)/mereau-$(1).pc: pc_adapter_libs = $$(strip $$($(1)_libs)) -lm -ldl -pthread
endef
$(foreach a,$(adapters),$(eval $(call adapter_rules,$(a))))

# What mereau uses inside mereau-verify has to be visible to the linker.
$(verify_obj): private_flags = -fvisibility=default

# Only the room that may include a library is given the way to its headers.
$(O)/lib/crypto/$(CRYPTO)/%.o: room_flags = $(CRYPTO_CFLAGS)
$(O)/lib/json/%.o: room_flags = $(CJSON_CFLAGS)
$(O)/lib/%.o: lib/%.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(lib_flags) $(room_flags) $(private_flags) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Rewritten, and everything built again, only when compiler or flags change.
.PHONY: FORCE
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CRYPTO) $(lib_flags) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	echo '$(CC) $(CRYPTO) $(lib_flags) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' > $@
# Which libraries are built here; for tests/style.
$(O)/libraries: FORCE
	@mkdir -p $(@D)
	@echo '$(libs)' | cmp -s - $@ || echo '$(libs)' > $@

# --- pkg-config files -----------------------------------------------------------
# Requires.private where the system has the .pc file, else Libs.private by name.
# OpenSSL always by name: its .pc asks for what its own package does not bring (Debian
# 13: zlib and zstd).
pc_crypto   = $(if $(filter openssl,$(CRYPTO)),,$(if $(call has,mbedcrypto),mbedcrypto))
pc_requires = $(strip $(pc_crypto) $(if $(call has,libcjson),libcjson))
pc_libs     = $(strip $(if $(pc_crypto),,$(CRYPTO_LIBS)) $(if $(call has,libcjson),,-lcjson) -pthread)
# An adapter's by name: sqlite3.pc asks for what its own package does not bring
# (Debian: zlib).
# Relative to ${prefix}, so that an installed tree can be moved.
below = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
$(O)/%.pc: pkgconfig/%.pc.in Makefile FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(call below,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call below,$(INCLUDEDIR))|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@REQUIRES@|$(pc_requires)|' -e 's|@LIBS@|$(pc_libs)|' \
	    -e 's|@ADAPTER_LIBS@|$(pc_adapter_libs)|' $< > $@

# --- install --------------------------------------------------------------------
.PHONY: install install-verify uninstall
# install_these: libraries, headers
define install_these
	$(INSTALL) -d "$(DESTDIR)$(INCLUDEDIR)/mereau" "$(DESTDIR)$(LIBDIR)" \
	    "$(DESTDIR)$(PKGCONFIGDIR)" "$(DESTDIR)$(DOCDIR)"
	$(INSTALL) -m 644 $(2) "$(DESTDIR)$(INCLUDEDIR)/mereau"
	$(INSTALL) -m 644 $(1:%=$(O)/lib%.a) "$(DESTDIR)$(LIBDIR)"
	$(INSTALL) -m 755 $(1:%=$(O)/lib%.so.$(VERSION)) "$(DESTDIR)$(LIBDIR)"
	for l in $(1); do \
	    ln -sf lib$$l.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/lib$$l.so.$(SOVERSION)"; \
	    ln -sf lib$$l.so.$(SOVERSION) "$(DESTDIR)$(LIBDIR)/lib$$l.so"; done
	$(INSTALL) -m 644 $(1:%=$(O)/%.pc) "$(DESTDIR)$(PKGCONFIGDIR)"
	$(INSTALL) -m 644 LICENSE CHANGELOG.md "$(DESTDIR)$(DOCDIR)"
endef
install: all
	$(call install_these,$(libs),$(headers))
# Only what checks and makes tokens: mereau-verify, its headers, its .pc.
install-verify: verify
	$(call install_these,mereau-verify,$(verify_headers))

# Takes away what install put there, and folders of its own when they are empty.
uninstall:
	rm -f $(headers:include/%="$(DESTDIR)$(INCLUDEDIR)/%")
	for l in $(libs); do rm -f "$(DESTDIR)$(LIBDIR)/lib$$l.a" \
	    "$(DESTDIR)$(LIBDIR)/lib$$l.so" "$(DESTDIR)$(LIBDIR)/lib$$l.so.$(SOVERSION)" \
	    "$(DESTDIR)$(LIBDIR)/lib$$l.so.$(VERSION)" \
	    "$(DESTDIR)$(PKGCONFIGDIR)/$$l.pc"; done
	rm -f "$(DESTDIR)$(DOCDIR)/LICENSE" "$(DESTDIR)$(DOCDIR)/CHANGELOG.md"
	-rmdir "$(DESTDIR)$(INCLUDEDIR)/mereau" "$(DESTDIR)$(DOCDIR)" 2>/dev/null || true

# --- programs: examples, tests, benchmarks ----------------------------------------
# Linked statically, so that tests reach what is inside. In a folder of tests every
# test_*.c is a program, and every other .c file belongs to all of them; alloc.c,
# which lets allocations fail, only to those that include "alloc.h".
testdirs  = unit vectors store flow sim
test_src  = $(sort $(foreach d,$(testdirs),$(wildcard tests/$(d)/test_*.c)))
tests     = $(test_src:%.c=$(O)/%)
examples  = $(patsubst %.c,$(O)/%,$(sort $(wildcard examples/*.c)))
# Tests and benchmarks of an adapter that needs a server: in tests/NAME and
# tests/bench/bench_NAME.c; run by check-NAME and bench-NAME.
served    = $(filter-out sqlite front,$(all_adapters))
served_src = $(sort $(foreach a,$(served),$(wildcard tests/$(a)/test_*.c)))
benches   = $(patsubst %.c,$(O)/%,$(filter-out $(served:%=tests/bench/bench_%.c),$(sort $(wildcard tests/bench/*.c))))
with_alloc := $(if $(wildcard tests/*/test_*.c),$(shell grep -lE 'include.*[/"]alloc\.h"' tests/*/test_*.c))
shared_of = $(foreach f,$(sort $(wildcard tests/$(1)/*.c)),$(if $(filter test_% alloc.c preload.c,$(notdir $(f))),,$(f:%.c=$(O)/%.o)))
all_libs  = $(O)/libmereau-testing.a $(O)/libmereau-front.a $(O)/libmereau-sqlite.a $(O)/libmereau.a $(O)/libmereau-verify.a
link_libs = $(all_libs) $(sqlite_libs) $(core_libs)

$(O)/tests/%.o: tests/%.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(test_flags) $(CMOCKA_CFLAGS) $(sqlite_cflags) $(CJSON_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(O)/examples/%.o: examples/%.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(test_flags) $(MBEDTLS_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# ALLOC_WRAP=1: malloc belongs to a sanitizer or to valgrind; alloc.c stands between it
# and the library only.
ifdef ALLOC_WRAP
alloc_flags = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
$(O)/tests/unit/alloc.o: test_flags += -DTEST_ALLOC_WRAP
endif

# OpenSSL lets programs give it a malloc of their own.
ifeq ($(CRYPTO),openssl)
$(O)/tests/unit/alloc.o: test_flags += -DTEST_ALLOC_OPENSSL $(OPENSSL_CFLAGS)
endif

# test_program: source without .c; objects of its folder; adapter, if it is of one
define test_program
$(O)/$(1): $(O)/$(1).o $(2) $(if $(filter $(1).c,$(with_alloc)),$(O)/tests/unit/alloc.o) $(3:%=$(O)/libmereau-%.a) $(all_libs)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) \
	    $(if $(filter $(1).c,$(with_alloc)),$$(alloc_flags)) $(3:%=$(O)/libmereau-%.a) $$(link_libs) $(3:%=$$(%_libs)) $$(CMOCKA_LIBS)
endef
folder_of = $(notdir $(patsubst %/,%,$(dir $(1))))
$(foreach t,$(test_src:%.c=%),$(eval $(call test_program,$(t),$(call shared_of,$(call folder_of,$(t))))))
# They share these with the other stores' tests.
of_stores = $(patsubst %,$(O)/tests/%.o,flow/flow flow/restored store/support store/race store/grouped store/history_check \
    store/history_record faults/crowd faults/life faults/disk faults/proxy faults/turns faults/small_disk)
$(foreach t,$(served_src:%.c=%),$(eval $(call test_program,$(t),\
    $(call shared_of,$(call folder_of,$(t))) $(of_stores),$(call folder_of,$(t)))))
define served_rules
$(O)/tests/$(1)/%.o $(O)/tests/bench/bench_$(1).o: test_flags += $$($(1)_cflags)
$(O)/tests/bench/bench_$(1): $(O)/tests/bench/bench_$(1).o $(O)/tests/$(1)/server.o $(of_stores) $(O)/libmereau-$(1).a $(all_libs)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(link_libs) $$($(1)_libs) $$(CMOCKA_LIBS)
endef
$(foreach a,$(served),$(eval $(call served_rules,$(a))))

# Faults on real engines: run by check-faults and soak, not by check. preload.c is a
# library of its own, which these programs start themselves again with.
fault_src = $(sort $(wildcard tests/faults/test_*.c))
faults    = $(fault_src:%.c=$(O)/%)
fault_obj = $(patsubst %.c,$(O)/%.o,$(filter-out $(fault_src) %/preload.c,$(wildcard tests/faults/*.c)) \
    tests/store/support.c)
$(faults): %: %.o $(fault_obj) $(all_libs) $(O)/tests/faults/preload.so
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(link_libs) $(CMOCKA_LIBS) -ldl
$(O)/tests/faults/preload.so: tests/faults/preload.h
# The clock of a server.
$(O)/tests/redis/test_clock: $(O)/tests/redis/preload.so
$(O)/tests/%/preload.so: tests/%/preload.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(std) -fPIC -shared $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -ldl -pthread

# The benchmark of JWTs: ours, the provider's primitive, and the peers that are here.
peers      := $(if $(filter openssl,$(CRYPTO)),$(foreach p,libjwt librhonabwy cjose jose,$(if $(call has,$(p)),$(p))))
bench_jose  = $(O)/tests/bench/jose/bench_jose
# Not -Ilib: one of the peers has a jose/jws.h, too.
$(O)/tests/bench/jose/%.o: test_flags = $(filter-out -Ilib,$(std)) -D_POSIX_C_SOURCE=200809L -pthread $(CRYPTO_CFLAGS) $(peers:%=-DHAVE_%) \
    $(if $(peers),$(shell $(PKG_CONFIG) --cflags $(peers)))
$(bench_jose): $(patsubst %,$(O)/tests/bench/jose/%.o,bench_jose ours raw_$(CRYPTO) $(peers:%=peer_%)) $(all_libs)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(link_libs) $(if $(peers),$(shell $(PKG_CONFIG) --libs $(peers)))

# Counts what the library calls, between its own files.
$(O)/tests/flow/test_equal_work: private LDFLAGS += -Wl,--wrap=mru_hash,--wrap=mru_equal_ct
$(O)/tests/unit/test_jwks: private LDFLAGS += -Wl,--wrap=mru_key_is_named

# This host has its keys in an mbedTLS of its own, whatever the library stands on.
$(O)/examples/hsm_signer: private own_libs = $(MBEDTLS_LIBS)
interop_tools = $(patsubst %.c,$(O)/%,$(wildcard tests/interop/*.c))
$(examples) $(benches) $(interop_tools): %: %.o $(all_libs)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(link_libs) $(own_libs)

.PHONY: tests examples
tests: $(tests)
examples: $(examples)
# Objects of programs are kept, so that a second run builds nothing.
.SECONDARY:

.PHONY: deps demo check run-check run-tests run-all clean help
deps:
	@tests/tools/deps.sh check

# One program that shows the library at work, on a SQLite file of its own.
demo:
	@tests/tools/deps.sh core
	@$(MAKE) -s --no-print-directory $(O)/examples/demo
	@tests/tools/demo.sh $(O)/examples/demo

# Everything that has to hold, in a folder of its own, with warnings as errors.
check:
	@tests/tools/deps.sh check
	@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS)) -s \
	    O=build-check WERROR=1 all tests examples
	@$(MAKE) --no-print-directory -s O=build-check WERROR=1 run-check

# Examples that need no arguments but a file; verify_only has a test of its own.
alone = $(filter-out %/verify_only,$(examples))
# Tests of C, then what looks at the tree and at what was built.
scripts = $(sort $(wildcard tests/style/*.sh tests/style/*.py)) \
    tests/tools/install_test.sh tests/tools/verify_only_test.sh $(sort $(wildcard examples/python/test_*.py))
run-check:
	@O=$(O) JOBS=$(JOBS) LD_LIBRARY_PATH=$(abspath $(O)) ROOT_OF_BUILD=$(O)/ tests/tools/run_tests.sh $(O)/log \
	    $(tests) $(alone) $(scripts)
# Only what is C, for other compilers and tools.
run-tests: $(tests)
	@JOBS=$(JOBS) ROOT_OF_BUILD=$(O)/ tests/tools/run_tests.sh $(O)/log $(tests)
run-all: $(tests) $(examples)
	@JOBS=$(JOBS) ROOT_OF_BUILD=$(O)/ tests/tools/run_tests.sh $(O)/log $(tests) $(alone)

# --- check-all: the same under other tools and on other machines --------------------
# What cannot be installed or run here is a failure.
parts = check-openssl check-faults check-asan check-tsan check-valgrind check-clang check-tidy \
    $(if $(wildcard tests/fuzz/*.c),check-fuzz) check-interop check-32 check-big-endian check-debian12 check-debian13 check-openssl-debian13 \
    $(served:%=check-%) check-valkey
.PHONY: check-all check-bare check-fuzz $(parts) run-served $(served:%=bench-%)
check-all:
	@tests/tools/deps.sh all
	@tests/tools/check_all.sh $(parts)

again = $(MAKE) --no-print-directory -s -j$(JOBS)
# Says what was tried, too; by its log, since programs print at the same time.
.PHONY: run-faults
harmed = $(faults) $(O)/tests/store/test_histories $(O)/tests/store/test_front_histories
run-faults: $(harmed)
	@export HISTORIES=$(if $(MEREAU_SOAK),5000,500); JOBS=$(JOBS) ROOT_OF_BUILD=$(O)/ \
	    tests/tools/run_tests.sh $(O)/log $(harmed); result=$$?; \
	    cat $(foreach p,$(harmed:$(O)/%=%),$(O)/log/$(subst /,.,$(p)).out) | grep '^faults: '; exit $$result
check-faults:
	@tests/tools/deps.sh check
	@$(again) O=build-check WERROR=1 run-faults

# The same with the other provider.
check-openssl:
	@CRYPTO=openssl tests/tools/deps.sh check
	@$(again) CRYPTO=openssl O=build-openssl WERROR=1 CPPFLAGS=-DOPENSSL_NO_DEPRECATED all tests examples
	@$(again) CRYPTO=openssl O=build-openssl WERROR=1 CPPFLAGS=-DOPENSSL_NO_DEPRECATED run-check

san   = -fno-omit-frame-pointer -fno-sanitize-recover=all

check-asan:
	@$(again) O=build-asan ALLOC_WRAP=1 CFLAGS="-O1 -g $(san) -fsanitize=address,undefined" run-all

# The programs that start threads; not the stores that are wrong on purpose.
threaded = $(filter-out tests/store/test_wrong_stores.c, \
    $(if $(test_src),$(shell grep -lE 'pthread\.h|mereau_store_kit_run' $(test_src))))
check-tsan:
	@$(again) O=build-tsan ALLOC_WRAP=1 CFLAGS="-O1 -g $(san) -fsanitize=thread" \
	    test_src="$(threaded)" run-tests

check-valgrind:
	@$(again) O=build-valgrind ALLOC_WRAP=1 CFLAGS="-O1 -g" TIMEOUT=1200 \
	    RUN="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite" \
	    test_src="$(sort $(wildcard tests/unit/test_*.c))" run-tests

check-clang:
	@$(again) O=build-clang CC=clang WERROR=1 all run-all

check-tidy:
	@O=build-tidy JOBS=$(JOBS) tests/tools/tidy.sh

check-32:
	@JOBS=$(JOBS) tests/tools/bare.sh bookworm i386

check-big-endian:
	@tests/tools/fresh.sh -q -c . bookworm make -- tests/tools/big_endian.sh $(JOBS)

# Debian 12 has OpenSSL 3.0, 13 has 3.5.
check-openssl-debian13:
	@tests/tools/fresh.sh -q -c . trixie make -- make check-openssl JOBS=$(JOBS)

check-bare: check-debian12 check-debian13
check-debian12:
	@JOBS=$(JOBS) tests/tools/bare.sh bookworm
check-debian13:
	@JOBS=$(JOBS) tests/tools/bare.sh trixie

# The tests of one adapter; they start and stop the real server themselves.
run-served: $(patsubst %.c,$(O)/%,$(filter tests/$(ONE)/%,$(served_src)))
	@HISTORIES=500 JOBS=$(JOBS) ROOT_OF_BUILD=$(O)/ tests/tools/run_tests.sh $(O)/log $^; result=$$?; \
	    cat $(patsubst %.c,$(O)/log/%.out,$(subst /,.,$(filter tests/$(ONE)/%,$(served_src)))) | \
	    grep '^faults: '; exit $$result
$(served:%=check-%): check-%:
	@tests/tools/deps.sh servers
	@$(again) O=build-check WERROR=1 ONE=$* all run-served
# Those of Redis again, on a fresh Debian 13: a newer hiredis and Redis, and Valkey.
check-valkey:
	@tests/tools/fresh.sh -q -c . trixie make gcc libc6-dev pkg-config libmbedtls-dev libcjson-dev \
	    libsqlite3-dev libcmocka-dev libhiredis-dev redis-server valkey-server -- sh -c '\
	    make -s O=build-redis WERROR=1 ONE=redis JOBS=$(JOBS) -j$(JOBS) run-served && \
	    MEREAU_REDIS_SERVER=valkey-server make -s O=build-redis WERROR=1 ONE=redis JOBS=$(JOBS) run-served'
$(served:%=bench-%): bench-%: $(O)/tests/bench/bench_%
	@$<

# Says how much each of the others was checked against, both ways.
check-interop: $(O)/examples/demo $(interop_tools)
	@DEMO=$(abspath $(O)/examples/demo) TOOL=$(abspath $(O)/tests/interop/tool) \
	    tests/tools/run_tests.sh $(O)/log $(sort $(wildcard tests/interop/*.sh)); result=$$?; \
	    grep -H -E '^(both ways|not offered)' $(O)/log/tests.interop.*.out | sed 's|^.*tests.interop.||'; \
	    exit $$result

# --- what is asked for by name ----------------------------------------------------------
.PHONY: soak soak-tests mutants bench fuzz cover
# The same, much longer; one part after the other, since they share a build.
soak:
	@tests/tools/deps.sh servers
	@MEREAU_SOAK=1 TIMEOUT=86400 tests/tools/check_all.sh \
	    soak-tests check-faults $(served:%=check-%) bench-size
# The tests that have a long form: simulator, sizes, sweeps of allocations.
soak_src = $(if $(test_src),$(shell grep -l MEREAU_SOAK $(test_src)))
soak-tests:
	@$(again) O=build-check WERROR=1 test_src="$(soak_src)" run-tests; result=$$?; \
	    cat $(patsubst %.c,build-check/log/%.out,$(subst /,.,$(soak_src))) | \
	    grep -E '^(sim|scale): '; exit $$result

mutants:
	@bash tests/sim/mutants.sh

# Signing and verifying JWTs against the bare primitives of both providers, and with
# OpenSSL, on which they stand, against the libraries of others.
bench:
	@tests/tools/deps.sh bench
	@$(again) bench-engine bench-jose
	@$(again) CRYPTO=openssl O=build-openssl bench-jose
.PHONY: bench-engine bench-jose bench-size
# 10^7 sessions on SQLite: about 8 GB in the folder where it runs. Judged by its exit.
bench-size: $(O)/tests/bench/bench_size
	@if MEREAU_SOAK=1 $<; then echo '1 passed, 0 failed'; else echo '0 passed, 1 failed'; exit 1; fi
bench-engine: $(benches)
	@for b in $(benches); do echo "== $$b"; $$b || exit 1; done
bench-jose: $(bench_jose)
	@echo "== $<"; $<

# Each fuzzer for FUZZ_SECONDS, from its own corpus if it has one.
FUZZ_SECONDS ?= 60
fuzz_flags = -O1 -g $(san) -fsanitize=address,undefined,fuzzer-no-link
fuzz:
	@$(again) O=build-fuzz CC=clang CFLAGS="$(fuzz_flags)" run-fuzz
check-fuzz:
	@$(again) O=build-fuzz CC=clang CFLAGS="$(fuzz_flags)" FUZZ_SECONDS=10 run-fuzz

fuzz_src := $(filter-out %/main.c,$(if $(wildcard tests/fuzz/*.c),$(shell grep -l LLVMFuzzerTestOneInput tests/fuzz/*.c)))
fuzzers   = $(fuzz_src:%.c=$(O)/%)
fuzz_help = $(patsubst %.c,$(O)/%.o,$(filter-out %/main.c $(fuzz_src),$(wildcard tests/fuzz/*.c)))
$(fuzzers): %: %.o $(fuzz_help) $(all_libs)
	$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $(filter %.o,$^) $(link_libs)
# The same targets as programs that read files, with any compiler; for AFL++:
#   make fuzz-files O=build-afl CC=afl-clang-fast
#   afl-fuzz -i tests/fuzz/corpus/jwk -o build-afl/found build-afl/tests/fuzz/jwk-files @@
.PHONY: fuzz-files
fuzz-files: $(fuzzers:%=%-files)
	@tests/tools/fuzz_files.sh $^
$(fuzzers:%=%-files): %-files: %.o $(O)/tests/fuzz/main.o $(fuzz_help) $(all_libs)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(link_libs)
.PHONY: run-fuzz
run-fuzz: $(fuzzers)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) JOBS=$(JOBS) tests/tools/fuzz.sh $(O) $(fuzzers)

cover:
	@rm -rf build-cover/log; find build-cover -name "*.gcda" -delete 2>/dev/null || true
	@$(again) O=build-cover CFLAGS="-O0 -g --coverage" run-tests
	@tests/tools/cover.py build-cover

clean:
	rm -rf build build-*

help:
	@sed -n 's/^#   //p' Makefile; echo; \
	echo 'demo       one program that shows the library at work'; \
	echo 'check      all tests of this machine; check-all: and of others'; \
	echo '           ($(parts))'; \
	echo 'soak       simulator, faults and sizes, for hours; mutants: planted bugs'; \
	echo 'fuzz       FUZZ_SECONDS=60 for each; bench, cover: numbers'; \
	echo 'fuzz-files the fuzz targets as programs that read files (AFL++), run once over the seeds'; \
	echo 'deps       install what is missing; install, uninstall, clean'

-include $(shell find $(O) -name '*.d' 2>/dev/null)
