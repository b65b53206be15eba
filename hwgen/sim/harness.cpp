// Bulk simulation of one generated top: frames in from a file, frames out to a file.
//
// Generic: design.h, generated per design, names the Verilated class (Top), the module (kTop), the
// stream widths (kInBytes, kOutBytes), the probes, as PROBES(P) = P(name, signal prefix, bytes) ..., and all
// streams between instances in the order of the flow, as STREAMS(S) = S(name, signal prefix) ...
// Options are "name=value" arguments.  Results go to stdout as "name value" lines, errors to
// stderr with exit status 1.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "design.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

using Bytes = std::vector<uint8_t>;

[[noreturn]] void fail(const char* format, auto... values) {
  std::fprintf(stderr, format, values...);
  std::fputc('\n', stderr);
  std::exit(1);
}

using Arguments = std::map<std::string, std::string>;

Arguments parse(int count, char** words) {
  Arguments arguments;
  for (int k = 1; k < count; ++k) {
    const std::string word = words[k];
    const size_t equals = word.find('=');
    arguments[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return arguments;
}

struct Options {
  std::string in_path, out_path;
  uint64_t frames, in_beats, out_beats;
  double idle, backpressure;    // probability per cycle
  uint64_t seed;
  uint64_t reset_at;            // cycle of a second reset, or 0
  uint64_t patience;            // cycles without a transfer that count as a deadlock
  std::string probe_prefix;     // empty: do not record
  bool assertions;              // the first that fails ends the run
  std::string watch;            // empty, or the probe whose transfer of watch_beat ends the run
  uint64_t watch_beat;
  std::string wave_path;        // empty, or a waveform to write; its last cycle ends the run
  std::string wave_instance;    // empty, or what to show the inside of
  uint64_t wave_from, wave_to;  // cycles

  explicit Options(const Arguments& a)
      : in_path(a.at("in")), out_path(a.at("out")), frames(number(a, "frames")),
        in_beats(number(a, "in_beats")), out_beats(number(a, "out_beats")),
        idle(std::atof(a.at("idle").c_str())),
        backpressure(std::atof(a.at("backpressure").c_str())), seed(number(a, "seed")),
        reset_at(number(a, "reset_at")), patience(number(a, "patience")),
        probe_prefix(a.at("probe_prefix")), assertions(number(a, "assertions")),
        watch(a.at("watch")), watch_beat(number(a, "watch_beat")), wave_path(a.at("wave_path")),
        wave_instance(a.at("wave_instance")), wave_from(number(a, "wave_from")),
        wave_to(number(a, "wave_to")) {}

  static uint64_t number(const Arguments& a, const char* name) {
    return std::strtoull(a.at(name).c_str(), nullptr, 10);
  }
};

constexpr const char* kProbeNames[] = {
#define NAME(name, signal, bytes) #name,
    PROBES(NAME) nullptr};
constexpr size_t kProbes = std::size(kProbeNames) - 1;

// Verilated signals are little-endian integers or arrays of 32-bit words; spare bits stay zero.
template <class Signal>
void write_signal(Signal& signal, const uint8_t* bytes, size_t count) {
  std::memset(&signal, 0, sizeof signal);
  std::memcpy(&signal, bytes, count);
}

template <class Signal>
void append_signal(Bytes& bytes, const Signal& signal, size_t count) {
  const auto* first = reinterpret_cast<const uint8_t*>(&signal);
  bytes.insert(bytes.end(), first, first + count);
}

Bytes read_file(const std::string& path, size_t size) {
  Bytes bytes(size);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size)))
    fail("%s: cannot read %zu bytes", path.c_str(), size);
  return bytes;
}

void write_file(const std::string& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file) fail("%s: cannot write %zu bytes", path.c_str(), bytes.size());
}

// True with the given probability; xorshift64*.
class Coin {
 public:
  Coin(double probability, uint64_t seed)
      : limit_(static_cast<uint64_t>(probability * 4294967296.0)),
        state_(seed * 2685821657736338717u + 88172645463325252u) {}

  bool toss() {
    if (limit_ == 0) return false;
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return (state_ * 2685821657736338717u) >> 32 < limit_;
  }

 private:
  uint64_t limit_, state_;
};

class Simulation {
 public:
  explicit Simulation(const Options& options)
      : options_(options), idle_(options.idle, 2 * options.seed),
        backpressure_(options.backpressure, 2 * options.seed + 1),
        input_(read_file(options.in_path, options.frames * options.in_beats * kInBytes)),
        probed_(kProbes) {
    Verilated::randReset(2);
    Verilated::randSeed(static_cast<int>(options.seed % 0x7fffffff) + 1);
    Verilated::assertOn(options.assertions);
    Verilated::traceEverOn(!options.wave_path.empty());
    top_ = std::make_unique<Top>();
    output_.reserve(options.frames * options.out_beats * kOutBytes);
    frame_ends_.reserve(options.frames);
    if (!options.wave_path.empty()) choose_wires();
  }

  ~Simulation() { close(); }

  void run() {
    reset();
    while (frame_ends_.size() < options_.frames) {
      cycle();
      if (cycle_ == options_.reset_at) restart();
      if (satisfied()) return;
    }
    for (int k = 0; k < 64; ++k) cycle();  // nothing more may come out
    if (!options_.probe_prefix.empty()) drain();
  }

  void report() const {
    if (satisfied()) {
      std::printf("watched_cycle %lu\n", watched_cycle_);
      return;
    }
    write_file(options_.out_path, output_);
    std::printf("cycles %lu\n", cycle_);
    std::printf("first_latency_cycles %lu\n", frame_ends_.front() - first_input_);
    const size_t last = frame_ends_.size() - 1, middle = last / 2;
    if (last > 0)
      std::printf("ii_cycles %.6f\n",
                  double(frame_ends_[last] - frame_ends_[middle]) / double(last - middle));
    if (options_.probe_prefix.empty()) return;
    for (size_t k = 0; k < kProbes; ++k)
      write_file(options_.probe_prefix + kProbeNames[k], probed_[k]);
  }

 private:
  void choose_wires() {
#if VM_TRACE
    const std::string scope = std::string("TOP.") + kTop;
    wave_.dumpvars(1, scope);
    if (!options_.wave_instance.empty()) wave_.dumpvars(99, scope + "." + options_.wave_instance);
    top_->trace(&wave_, 99);
    wave_.set_time_resolution("1ns");
#endif
  }

  void close() {
    top_->final();
#if VM_TRACE
    wave_.close();
#endif
  }

  void reset() {
    top_->rst = 1;
    top_->s_axis_tvalid = 0;
    top_->m_axis_tready = 0;
    for (int k = 0; k < 4; ++k) clock();
    top_->rst = 0;
  }

  // What this run is for has been seen, before its end.
  bool satisfied() const {
    return watched_cycle_ || (!options_.wave_path.empty() && cycle_ > options_.wave_to);
  }

  // Layers may still work on values that no output needed, such as the rows that a stride leaves
  // over; none is silent for longer than the first frame took.
  void drain() {
    const uint64_t quiet = frame_ends_.front() - first_input_;
    while (cycle_ - last_record_ <= quiet && !satisfied()) cycle();
  }

  // A reset in the middle of the work, and everything again from the first frame.
  void restart() {
    reset();
    offered_ = false;
    sent_ = received_ = 0;
    output_.clear();
    frame_ends_.clear();
    for (Bytes& bytes : probed_) bytes.clear();
  }

  void clock() {
    top_->clk = 0;
    eval();
    top_->clk = 1;
    eval();
    ++cycle_;
  }

  // Two time units are one cycle; the second is behind the clock edge.
  void eval() {
    context_.time(2 * cycle_ + top_->clk);
    top_->eval();
#if VM_TRACE
    if (options_.wave_path.empty() || cycle_ < options_.wave_from) return;
    if (!wave_.isOpen()) wave_.open(options_.wave_path.c_str());
    wave_.dump(context_.time());
#endif
  }

  void cycle() {
    top_->clk = 0;
    offer();
    top_->m_axis_tready = !backpressure_.toss();
    eval();
    const bool in = top_->s_axis_tvalid && top_->s_axis_tready;
    const bool out = top_->m_axis_tvalid && top_->m_axis_tready;
    if (in && sent_ == 0) first_input_ = cycle_;
    if (out) receive();
    if (!options_.probe_prefix.empty()) record();
    if (in || out) last_transfer_ = cycle_;
    if (cycle_ - last_transfer_ > options_.patience && frame_ends_.size() < options_.frames)
      stop("deadlock: no transfer for %lu cycles up to cycle %lu, after %lu input and %lu output "
           "beats", options_.patience, cycle_, sent_, received_);
    top_->clk = 1;
    eval();
    if (in) ++sent_, offered_ = false;
    ++cycle_;
  }

  // Fail, and say of every stream "stream name tvalid tready", of every probe "passed name beats".
  [[noreturn]] void stop(const char* format, auto... values) {
    close();
    if (!options_.wave_path.empty()) std::exit(0);  // the waveform ends where the hardware does
    [[maybe_unused]] const auto& signals = *top_->rootp;
    std::printf("stream s_axis %d %d\n", top_->s_axis_tvalid, top_->s_axis_tready);
#define STATE(name, signal) \
  std::printf("stream " #name " %d %d\n", signals.signal##_tvalid, signals.signal##_tready);
    STREAMS(STATE)
    std::printf("stream m_axis %d %d\n", top_->m_axis_tvalid, top_->m_axis_tready);
#define PASSED(name, signal, count) std::printf("passed " #name " %zu\n", bytes++->size() / count);
    [[maybe_unused]] auto bytes = probed_.begin();
    if (!options_.probe_prefix.empty()) { PROBES(PASSED) }
    std::printf("last_movement %lu\n", std::max(last_transfer_, last_record_));
    std::fflush(stdout);
    fail(format, values...);
  }

  // Once offered, a beat stays until its transfer.
  void offer() {
    if (!offered_ && sent_ < options_.frames * options_.in_beats && !idle_.toss()) {
      offered_ = true;
      write_signal(top_->s_axis_tdata, &input_[sent_ * kInBytes], kInBytes);
      top_->s_axis_tlast = sent_ % options_.in_beats == options_.in_beats - 1;
    }
    top_->s_axis_tvalid = offered_;
  }

  void receive() {
    if (received_ == options_.frames * options_.out_beats)
      stop("cycle %lu: an output beat too many", cycle_);
    const bool last = received_ % options_.out_beats == options_.out_beats - 1;
    if (top_->m_axis_tlast != last)
      stop("cycle %lu: m_axis_tlast is %d at output beat %lu of %lu", cycle_,
           int(top_->m_axis_tlast), received_ % options_.out_beats, options_.out_beats);
    append_signal(output_, top_->m_axis_tdata, kOutBytes);
    ++received_;
    if (last) frame_ends_.push_back(cycle_);
  }

  void record() {
    [[maybe_unused]] const auto& signals = *top_->rootp;
    [[maybe_unused]] auto bytes = probed_.begin();
#define RECORD(name, signal, count)                          \
  if (signals.signal##_tvalid && signals.signal##_tready) {  \
    append_signal(*bytes, signals.signal##_tdata, count);    \
    last_record_ = cycle_;                                   \
    if (options_.watch == #name && bytes->size() == (options_.watch_beat + 1) * count) \
      watched_cycle_ = cycle_;                               \
  }                                                          \
  ++bytes;
    PROBES(RECORD)
  }

  const Options& options_;
  Coin idle_, backpressure_;
  const Bytes input_;
  Bytes output_;
  std::vector<Bytes> probed_;
  std::vector<uint64_t> frame_ends_;
#if VM_TRACE
  VerilatedVcdC wave_;  // outlives the top that it reads
#endif
  VerilatedContext& context_ = *Verilated::threadContextp();
  std::unique_ptr<Top> top_;
  bool offered_ = false;
  uint64_t cycle_ = 0, sent_ = 0, received_ = 0, first_input_ = 0, last_transfer_ = 0;
  uint64_t last_record_ = 0, watched_cycle_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options(parse(argc, argv));
  Simulation simulation(options);
  simulation.run();
  simulation.report();
}
