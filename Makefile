# Makefile -- builds everything into $(BUILD); knows no list of files.
#
#   make            build/berth              make run     the first scenario, end to end
#   make MPI=1      build/mpi/berth: sweeps on the ranks of an MPI job as well
#   make test       every check, under ASan too where it pays    make help    all targets
#
# CC, OPT, BUILD, CFLAGS, LDFLAGS, PREFIX, DESTDIR and V=1 are respected:
#   make CC=clang OPT=-O0 BUILD=build/x      builds build/x/berth

CC      ?= gcc
OPT     ?= -O2
BUILD   ?= $(if $(MPI),build/mpi,build)
PREFIX  ?= /usr/local
SAN     ?=
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))
ifeq ($(origin CC),default)
CC      := gcc
endif

# The program itself, as shipped, is optimised at link time by gcc: calls between its rooms are
# inlined, which saves 16 % of a run's instructions, and frame pointers are left out, 4 % more. It
# has objects of its own for that; tests are linked from plain ones, or gcc would optimise every one
# of them so. A build with OPT, sanitizers or clang is plain throughout: `make OPT=-O2` while you
# work on it.
ifeq ($(origin OPT)$(SAN),file)
FUSE    := $(if $(shell $(CC) -v 2>&1 | grep '^gcc version'),-O3 -flto=auto -fomit-frame-pointer)
endif

# A target that only cleans, formats or installs packages must not need the libraries.
PKGS    := gsl jansson zlib libpcre2-8 libcrypto sqlite3 libcurl
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   = $(shell pkg-config --libs $(PKGS) 2>/dev/null)

# With MPI=1; the build id, and so every result, is that of the build without.
ifneq ($(MPI),)
MPI_CFLAGS = -DBERTH_MPI $(patsubst -I%,-isystem %,$(shell pkg-config --cflags ompi-c))
MPI_LIBS   = $(shell pkg-config --libs ompi-c)
endif

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wvla -Wundef -Wformat=2 -Werror
# -ffp-contract=off: no fused operations, so that every build computes the same bits.
override CFLAGS += -std=c11 -D_POSIX_C_SOURCE=200809L $(OPT) -g -ffp-contract=off -fno-common \
           -fno-omit-frame-pointer $(WARN) -I. -I$(BUILD) $(PKG_CFLAGS) $(MPI_CFLAGS) $(if $(SAN),-fsanitize=$(SAN))
override LDFLAGS += $(if $(SAN),-fsanitize=$(SAN))
# --as-needed: what only talks to engines is not loaded where nothing does.
LIBS     = -Wl,--as-needed $(PKG_LIBS) $(MPI_LIBS) -lm -pthread

# The purity line: what stands above it may do nothing but compute.
PURE_DIRS := scheduler/base scheduler/model scheduler/policy scheduler/placement scheduler/core \
             scheduler/agent
find_c    = $(sort $(shell find $(1) -name '*.c' 2>/dev/null))
PURE_SRC  := $(call find_c,$(PURE_DIRS))
MAIN_SRC  := scheduler/cli/main.c
REST_SRC  := $(filter-out $(PURE_SRC) $(MAIN_SRC),$(call find_c,scheduler sim))
TEST_SRC  := $(call find_c,tests/unit tests/property tests/golden tests/theory tests/cli)
REAL_SRC  := $(call find_c,tests/integration)
FUZZ_SRC  := $(call find_c,tests/fuzz)
BENCH_SRC := $(call find_c,tests/bench)
SUPP_SRC  := $(call find_c,tests/support)
ALL_C     := $(PURE_SRC) $(MAIN_SRC) $(REST_SRC) $(TEST_SRC) $(REAL_SRC) $(FUZZ_SRC) $(BENCH_SRC) \
             $(SUPP_SRC)
ALL_H     := $(sort $(shell find scheduler sim tests -name '*.h'))

obj       = $(patsubst %.c,$(BUILD)/%.o,$(1))
PURE_OBJ  := $(call obj,$(PURE_SRC))
REST_OBJ  := $(call obj,$(REST_SRC))
SUPP_OBJ  := $(call obj,$(SUPP_SRC))
TESTS     := $(patsubst %.c,$(BUILD)/%,$(TEST_SRC))
REALS     := $(patsubst %.c,$(BUILD)/%,$(REAL_SRC))
PROGRAM   := $(if $(FUSE),$(patsubst %.c,$(BUILD)/fused/%.o,$(MAIN_SRC) $(REST_SRC) $(PURE_SRC)), \
             $(call obj,$(MAIN_SRC)) $(BUILD)/libberth.a $(BUILD)/libcore.a)
FUZZERS   := $(patsubst %.c,$(BUILD)/%,$(FUZZ_SRC))
BENCHES   := $(patsubst %.c,$(BUILD)/%,$(BENCH_SRC))

.PHONY: all run test quick-test lint fmt asan bench fuzz golden install clean help deps-run deps-test deps-integration
.DELETE_ON_ERROR:
.SECONDARY:
all: $(BUILD)/berth

$(BUILD)/berth: $(PROGRAM)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(FUSE) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libcore.a: $(PURE_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libberth.a: $(REST_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fused/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(FUSE) -MMD -MP -c -o $@ $<

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(SUPP_OBJ) $(BUILD)/libberth.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPP_OBJ) $(BUILD)/libberth.a $(BUILD)/libcore.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

# The build id: a hash of the sources and of the libraries' versions; never of compiler or flags.
$(BUILD)/build_id.h: $(PURE_SRC) $(MAIN_SRC) $(REST_SRC) $(filter scheduler/% sim/%,$(ALL_H))
	$(Q)mkdir -p $(@D)
	$(Q)id=$$( { cat $(sort $^); for p in $(PKGS); do pkg-config --modversion $$p; done; \
	  getconf GNU_LIBC_VERSION; } | sha256sum | cut -c1-16 ); \
	  printf '#define BERTH_BUILD_ID "%s"\n' $$id > $@
$(BUILD)/scheduler/base/version.o $(BUILD)/fused/scheduler/base/version.o: $(BUILD)/build_id.h

-include $(patsubst %.c,$(BUILD)/%.d,$(ALL_C)) $(patsubst %.o,%.d,$(filter $(BUILD)/fused/%,$(PROGRAM)))

run: deps-run
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)$(BUILD)/berth run scenarios/first-look.json

deps-run deps-test deps-integration:
	$(Q).ci/deps $(@:deps-%=%)

include $(wildcard tests/tests.mk)

fmt:
	$(Q)clang-format -i $(ALL_C) $(ALL_H)

install: all
	install -D -m 755 $(BUILD)/berth $(DESTDIR)$(PREFIX)/bin/berth
	install -D -m 644 scenarios/scenario.schema.json $(DESTDIR)$(PREFIX)/share/berth/scenario.schema.json

clean:
	$(Q)rm -rf build

help:
	@echo 'make            build $(BUILD)/berth'
	@echo 'make OPT=-O2    the same without optimisation at link time: half of the time to build'
	@echo 'make MPI=1      build build/mpi/berth, whose sweeps run on the ranks of an MPI job too'
	@echo 'make run        build, then run scenarios/first-look.json and compare strategies'
	@echo 'make test       lint, unit, property, golden, theory, CLI and fuzz-corpus tests, both compilers'
	@echo 'make quick-test only the test programs, one compiler'
	@echo 'make asan       the test programs under AddressSanitizer and UBSan'
	@echo 'make bench      speed and memory beside goals and naive ways, with what was checked (minutes)'
	@echo 'make quick-bench a minute of it: fails on a ratio or a check, never on a time'
	@echo 'make convergence the published table: how soon all is well again, by disturbance and size'
	@echo 'make integration  tests on real Docker engines; as root, with docker.io'
	@echo 'make fuzz       every fuzz target for FUZZ_S seconds (60)'
	@echo 'make mutants    plant known bugs in a copy of the core; tests and explore must catch each'
	@echo 'make golden     rewrite the golden transcripts; review the diff'
	@echo 'make lint fmt   layers, purity, style; clang-format in place'
	@echo 'make install    PREFIX=/usr/local DESTDIR='
