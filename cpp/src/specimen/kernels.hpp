// The inner loop of rendering, once per instruction-set level.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crewe/cpu.hpp"
#include "crewe/specimen/item.hpp"

namespace crewe::specimen {

CREWE_SIMD_DECLARE(
    // Adds an item to the rows [first, end) of an image of `width` columns.
    void add_item(const Item& item, const Samples& samples, float* image, std::size_t width, std::size_t first,
                  std::size_t end);)

}  // namespace crewe::specimen
