# SPDX-License-Identifier: Apache-2.0
# A thin front of meson: every target works on a fresh Debian 12 that has git and make.
BUILD ?= build

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@tools/install-deps build
	meson setup $(BUILD) -Dtests=false

demo: all
	@$(BUILD)/backout demo

check:
	@tools/install-deps check
	@tools/check

lint:
	@tools/install-deps check
	@tools/lint

coverage:
	@tools/install-deps coverage
	@tools/coverage

comma = ,
torture:
	@tools/install-deps check
	@tools/torture $(subst $(comma), ,$(TORTURE))

fuzz:
	@tools/install-deps check
	@FUZZ_SECONDS=$(or $(SECONDS),300) tools/fuzz $(TARGETS)

format:
	@tools/list-files .c .h | xargs clang-format -i

bench: all
	@tools/install-deps bench
	@ninja -C $(BUILD) --quiet bench/measure bench/copy_out bench/select_out
	@BACKOUT_BIN=$(abspath $(BUILD))/backout BENCH_TOOLS=$(abspath $(BUILD))/bench \
		bench/run $(BENCH_MODE) $(CASES)

bench-compare: BENCH_MODE = --compare
bench-compare: bench

install: all
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-*

.PHONY: all demo check lint coverage torture fuzz format bench bench-compare install clean
