# tests.mk -- the checks. Included by the Makefile.

test: deps-test
	$(Q)MAKEFLAGS= tests/all.sh

.PHONY: tests-and-tools
tests-and-tools: $(BUILD)/berth $(TESTS) $(FUZZERS)

quick-test: tests-and-tools
	$(Q)tests/run.sh $(BUILD) $(TESTS) $(FUZZERS)

# The schema is held against the loader by a thousand processes: once, without sanitizers, is enough;
# the loader itself is fuzzed under them.
asan:
	$(Q)$(MAKE) --no-print-directory BUILD=build/asan SAN=address,undefined OPT=-O1 tests-and-tools
	$(Q)ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  tests/run.sh build/asan $(patsubst $(BUILD)/%,build/asan/%,$(filter-out %/cli/test_schema,$(TESTS)) $(FUZZERS))

# On real engines, which they start and stop themselves: as root. One after the other.
.PHONY: integration
integration: deps-integration
	$(Q)$(MAKE) --no-print-directory $(BUILD)/berth $(REALS)
	$(Q)JOBS=1 tests/run.sh $(BUILD) $(REALS)

lint: $(PURE_OBJ)
	$(Q)tests/lint/purity.sh $(BUILD) $(PURE_OBJ)
	$(Q)tests/lint/layers.sh
	$(Q)tests/lint/style.sh $(ALL_C) $(ALL_H)
	$(Q)clang-format --dry-run -Werror $(ALL_C) $(ALL_H) && echo "format: as clang-format has it"

golden: all
	$(Q)GOLDEN_UPDATE=1 $(MAKE) --no-print-directory quick-test

# The published table: three sizes, six disturbances, four strategies, 30 seeds.
.PHONY: convergence
convergence: $(BUILD)/berth
	$(Q)set -e; for size in 100 1000 10000; do \
	  $(BUILD)/berth run --no-plots --out results/convergence-$$size scenarios/convergence/$$size.json; done
	$(Q)mkdir -p results/convergence
	$(Q)awk -f scenarios/convergence/table.awk results/convergence-100/metrics.csv \
	  results/convergence-1000/metrics.csv results/convergence-10000/metrics.csv >results/convergence/README.md

bench: $(BENCHES) $(BUILD)/berth
	$(Q)$(BUILD)/berth bench
	$(Q)for b in $(sort $(BENCHES)); do $$b || exit 1; done

# A minute of it, for CI: what fails are ratios to a plain scan and a binary heap, and checks.
.PHONY: quick-bench
quick-bench: $(BUILD)/berth
	$(Q)$(BUILD)/berth bench --quick

# Where the time of line S2 goes, as the page on speed shows it; needs Debian's linux-perf. From a
# plain build: functions that were inlined across rooms would be missing.
.PHONY: flame
flame: flame = build/flame
flame:
	$(Q)$(MAKE) --no-print-directory BUILD=$(flame) OPT=-O2
	$(Q)perf record -q -F 999 --call-graph fp -o $(flame)/perf.data $(flame)/berth bench --quick S2
	$(Q)perf script -i $(flame)/perf.data 2>$(flame)/perf.log | python3 tests/bench/flame.py $(flame) \
	  "berth bench S2: services under audit, by processor time" run_once >results/figures/flame-s2.svg

FUZZ_S ?= 60
fuzz:
	$(Q)tests/fuzz/run.sh $(FUZZ_S)

# Known bugs, planted in a copy one by one; NAMES="a b" takes only those.
.PHONY: mutants
mutants: deps-test
	$(Q)python3 tests/mutants/run.py $(NAMES)
