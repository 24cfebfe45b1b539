// Images that are made elsewhere: lines of patterns go out, rows of the image come back.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "crewe/checks.hpp"
#include "live/state.hpp"

namespace crewe::live {

Lines& Session::State::find_lines(std::string_view name) {
  Picture& picture = find(name);
  if (!picture.lines) throw std::invalid_argument(std::string(name) + ": an External image wanted");
  return *picture.lines;
}

void Session::gather(std::string_view name, const Binning& bins) {
  state_->wait_for_queue();
  Lines& lines = state_->find_lines(name);
  const auto turn = state_->lock.producer();
  lines.begin(state_->options, bins);
}

std::optional<std::size_t> Session::take_line(std::string_view name, std::span<float> out) {
  return state_->find_lines(name).take(out);
}

std::size_t Session::waiting_lines(std::string_view name) const {
  return state_->find_lines(name).waiting();
}

std::vector<std::size_t> Session::open_lines(std::string_view name) const {
  const auto held = state_->lock.guest();
  return state_->find_lines(name).open();
}

void Session::read_line(std::string_view name, std::size_t row, std::span<float> out) const {
  const auto held = state_->lock.guest();
  if (!state_->find_lines(name).look(row, out)) {
    reject("row", "one that isn't complete", std::to_string(row));
  }
}

std::size_t Session::late(std::string_view name) const {
  return state_->find_lines(name).late();
}

void Session::stop_gathering(std::string_view name) {
  state_->find_lines(name).stop();
}

void Session::write(std::string_view name, std::size_t first, std::span<const float> rows) {
  State& state = *state_;
  const auto held = state.lock.guest();
  Picture& picture = state.find(name);
  const std::size_t count = rows.size() / picture.columns;
  if (!picture.is<External>() || count * picture.columns != rows.size() || first > picture.rows ||
      count > picture.rows - first) {
    reject(std::string(name), "whole rows of an External image",
           std::to_string(rows.size()) + " numbers from row " + std::to_string(first) + " on");
  }
  std::copy(rows.begin(), rows.end(), picture.pixels.get() + first * picture.columns);
  state.mark(picture, first, first + count);
  state.publish();
}

}  // namespace crewe::live
