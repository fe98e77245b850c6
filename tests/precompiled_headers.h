// What takes a compiler long to read and most tests include. Each says so itself: the tests build
// without this as well.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
