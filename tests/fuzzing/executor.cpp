// A second implementation of the integer graph: graph.json in, the codes of every tensor out.
//
// It shares nothing with hwgen but the file format.  Sums are exact (128 bits) and then cut to the
// width that the graph claims for them, as hardware does; a claim that is too narrow shows.
//
//   stdin    one JSON object per line, no blanks: {"graph": graph.json, "x": [[codes], ...]}
//   stdout   one JSON object per line: {"tensor": [[codes], ...], ...} or {"error": "..."}

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using Int = int64_t;
using Wide = __int128;
using Frame = std::vector<Int>;

// ---- JSON ----------------------------------------------------------------------------------
struct Json {
  enum Kind { Null, Number, Text, List, Object } kind = Null;
  Int number = 0;
  std::string text;
  std::vector<Json> list;
  std::map<std::string, Json> object;

  const Json& operator[](const std::string& key) const {
    const auto found = object.find(key);
    if (found == object.end()) throw std::runtime_error("no field " + key);
    return found->second;
  }
  const Json& operator[](size_t i) const { return list.at(i); }
  size_t size() const { return list.size(); }
};

class Parser {
 public:
  explicit Parser(const std::string& text) : p_(text.c_str()) {}

  Json value() {
    Json v;
    switch (*p_) {
      case '{':
        v.kind = Json::Object;
        for (++p_; *p_ != '}'; skip(',')) {
          std::string key = string();
          skip(':');
          v.object[key] = value();
        }
        ++p_;
        return v;
      case '[':
        v.kind = Json::List;
        for (++p_; *p_ != ']'; skip(',')) v.list.push_back(value());
        ++p_;
        return v;
      case '"':
        v.kind = Json::Text;
        v.text = string();
        return v;
      case 't': p_ += 4; v.kind = Json::Number; v.number = 1; return v;
      case 'f': p_ += 5; v.kind = Json::Number; return v;
      case 'n': p_ += 4; return v;
      default: return number();
    }
  }

 private:
  const char* p_;

  void skip(char c) {
    if (*p_ == c) ++p_;
  }

  std::string string() {
    std::string out;
    for (++p_; *p_ != '"'; ++p_) {
      if (*p_ == '\\') ++p_;
      out += *p_;
    }
    ++p_;
    return out;
  }

  Json number() {  // only integers are computed with; the others are the host's scales
    Json v;
    v.kind = Json::Number;
    char* end = nullptr;
    std::strtod(p_, &end);
    if (end == p_) throw std::runtime_error("not JSON: " + std::string(p_).substr(0, 20));
    v.number = std::strtoll(p_, nullptr, 10);
    p_ = end;
    return v;
  }
};

// ---- tensors -------------------------------------------------------------------------------
struct Tensor {
  Int size, lo, hi;
  std::vector<Int> space;

  explicit Tensor(const Json& t)
      : size(t["size"].number), lo(t["lo"].number), hi(t["hi"].number) {
    for (const Json& n : t["space"].list) space.push_back(n.number);
  }

  size_t values() const {
    Int n = size;
    for (Int side : space) n *= side;
    return static_cast<size_t>(n);
  }

  // The narrowest two's complement or unsigned number for lo..hi keeps these bits.
  Int cut(Wide value) const {
    int bits = 1;
    if (lo < 0)
      while (lo < -(Wide(1) << (bits - 1)) || hi >= (Wide(1) << (bits - 1))) ++bits;
    else
      while (hi >= (Wide(1) << bits)) ++bits;
    const Wide modulus = Wide(1) << bits;
    Wide rest = value % modulus;
    if (rest < 0) rest += modulus;
    if (lo < 0 && rest >= modulus / 2) rest -= modulus;
    return static_cast<Int>(rest);
  }
};

// ---- layers --------------------------------------------------------------------------------
Int at(const Json& array, size_t row, size_t column) { return array["array"][row][column].number; }

Frame dense(const Json& layer, const Frame& x, const Tensor& y, bool xnor) {
  const Json& w = layer["weights"];
  const size_t rows = w["array"].size(), columns = w["array"][0].size();
  Frame out;
  for (size_t start = 0; start < x.size(); start += columns)
    for (size_t r = 0; r < rows; ++r) {
      Wide sum = 0;
      for (size_t c = 0; c < columns; ++c)
        sum += xnor ? Wide(x[start + c] == at(w, r, c)) : Wide(x[start + c]) * at(w, r, c);
      out.push_back(y.cut(sum));
    }
  return out;
}

Frame depthwise(const Json& layer, const Frame& x, const Tensor& y) {
  const Json& w = layer["weights"];
  const size_t channels = w["array"].size(), taps = w["array"][0].size();
  Frame out;
  for (size_t start = 0; start < x.size(); start += channels * taps)
    for (size_t c = 0; c < channels; ++c) {
      Wide sum = 0;
      for (size_t k = 0; k < taps; ++k) sum += Wide(x[start + k * channels + c]) * at(w, c, k);
      out.push_back(y.cut(sum));
    }
  return out;
}

Frame max_pool(const Json& layer, const Frame& x, const Tensor& y) {
  const size_t taps = layer["taps"].number, channels = y.size;
  Frame out;
  for (size_t start = 0; start < x.size(); start += channels * taps)
    for (size_t c = 0; c < channels; ++c) {
      Wide largest = x[start + c];
      for (size_t k = 1; k < taps; ++k)
        if (x[start + k * channels + c] > largest) largest = x[start + k * channels + c];
      out.push_back(y.cut(largest));
    }
  return out;
}

// Counts through a space or a kernel, last axis fastest; false when it is round.
bool next(std::vector<Int>& index, const std::vector<Int>& shape) {
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (++index[axis] < shape[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

Frame window(const Json& layer, const Frame& x, const Tensor& in, const Tensor& y) {
  const size_t rank = in.space.size();
  std::vector<Int> kernel, here(rank, 0);
  for (const Json& n : layer["kernel"].list) kernel.push_back(n.number);
  Frame out;
  do {
    std::vector<Int> tap(rank, 0);
    do {
      Int pixel = 0;
      bool inside = true;
      for (size_t a = 0; a < rank; ++a) {
        const Int place = here[a] * layer["stride"][a].number +
                          tap[a] * layer["dilation"][a].number - layer["pads"][a][0].number;
        inside = inside && place >= 0 && place < in.space[a];
        pixel = pixel * in.space[a] + place;
      }
      for (Int c = 0; c < in.size; ++c)
        out.push_back(inside ? x[static_cast<size_t>(pixel * in.size + c)] : layer["pad"].number);
    } while (next(tap, kernel));
  } while (next(here, y.space));
  return out;
}

Frame threshold(const Json& layer, const Frame& x) {
  const Json& steps = layer["thresholds"]["array"];
  Frame out;
  for (size_t i = 0; i < x.size(); ++i) {
    Int level = layer["base"].number;
    for (const Json& step : steps[i % steps.size()].list) level += x[i] >= step.number;
    out.push_back(level);
  }
  return out;
}

// Quotient of a division by a power of two, rounded; written as the definitions read.
Wide divided(Wide value, Int shift, const std::string& rounding) {
  const Wide divisor = Wide(1) << shift;
  Wide down = value / divisor, rest = value % divisor;
  if (rest < 0) --down, rest += divisor;
  if (rest == 0 || rounding == "floor") return down;
  if (rounding == "zero") return value < 0 ? down + 1 : down;
  if (2 * rest != divisor) return 2 * rest > divisor ? down + 1 : down;
  if (rounding == "half_even") return down % 2 == 0 ? down : down + 1;
  if (rounding == "half_away") return value < 0 ? down : down + 1;
  if (rounding == "half_to_zero") return value < 0 ? down + 1 : down;
  throw std::runtime_error("rounding " + rounding);
}

Int confined(Wide value, Int lo, Int hi, const std::string& overflow) {
  if (value >= lo && value <= hi) return static_cast<Int>(value);
  if (overflow == "saturate") return value < lo ? lo : hi;
  if (overflow == "zero") return 0;
  if (overflow != "wrap") throw std::runtime_error("overflow " + overflow);
  const Wide modulus = Wide(hi) - lo + 1;
  Wide offset = (value - lo) % modulus;
  if (offset < 0) offset += modulus;
  return static_cast<Int>(lo + offset);
}

Frame requant(const Json& layer, const Frame& x) {
  const Json &m = layer["multiplier"]["array"], &b = layer["bias"]["array"];
  const Int lo = layer["lo"].number, hi = layer["hi"].number;
  Frame out;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i % m.size();
    const Wide scaled = Wide(m[c].number) * x[i] + b[c].number;
    const Wide q = divided(scaled, layer["shift"].number, layer["rounding"]["value"].text);
    out.push_back(confined(q, lo, hi, layer["overflow"]["value"].text));
  }
  return out;
}

Frame table(const Json& layer, const Frame& x, const Tensor& in) {
  const Json& rows = layer["table"]["array"];
  Frame out;
  for (size_t i = 0; i < x.size(); ++i)
    out.push_back(rows[i % static_cast<size_t>(in.size) % rows.size()]
                      [static_cast<size_t>(x[i] - in.lo)].number);
  return out;
}

Frame argmax(const Frame& x) {
  size_t best = 0;
  for (size_t i = 1; i < x.size(); ++i)
    if (x[i] > x[best]) best = i;
  return {static_cast<Int>(best)};
}

Frame sum(const Json& layer, const Frame& x, const Frame& other, const Tensor& y) {
  Frame out;
  for (size_t i = 0; i < x.size(); ++i)
    out.push_back(y.cut(Wide(layer["gains"][0].number) * x[i] +
                        Wide(layer["gains"][1].number) * other[i]));
  return out;
}

Frame concatenated(const Frame& x, const Frame& other, const Tensor& in, const Tensor& y) {
  const size_t first = in.size, second = y.size - in.size;
  Frame out;
  for (size_t pixel = 0; out.size() < x.size() + other.size(); ++pixel) {
    for (size_t c = 0; c < first; ++c) out.push_back(x[pixel * first + c]);
    for (size_t c = 0; c < second; ++c) out.push_back(other[pixel * second + c]);
  }
  return out;
}

Frame upsampled(const Json& layer, const Frame& x, const Tensor& in, const Tensor& y) {
  std::vector<Int> here(y.space.size(), 0);
  Frame out;
  do {
    Int pixel = 0;
    bool between = false;
    for (size_t a = 0; a < here.size(); ++a) {
      const Int factor = layer["factor"][a].number;
      between = between || here[a] % factor != 0;
      pixel = pixel * in.space[a] + here[a] / factor;
    }
    between = between && layer["fill"].kind == Json::Number;
    for (Int c = 0; c < in.size; ++c)
      out.push_back(between ? layer["fill"].number : x[static_cast<size_t>(pixel * in.size + c)]);
  } while (next(here, y.space));
  return out;
}

Frame execute(const Json& layer, const Frame& x, const Frame& other, const Tensor& in,
              const Tensor& y) {
  const std::string& kind = layer["is"].text;
  if (kind == "Dense") return dense(layer, x, y, false);
  if (kind == "XnorDense") return dense(layer, x, y, true);
  if (kind == "MaxPool") return max_pool(layer, x, y);
  if (kind == "Depthwise") return depthwise(layer, x, y);
  if (kind == "Window") return window(layer, x, in, y);
  if (kind == "Threshold") return threshold(layer, x);
  if (kind == "Requant") return requant(layer, x);
  if (kind == "Table") return table(layer, x, in);
  if (kind == "ArgMax") return argmax(x);
  if (kind == "Add") return sum(layer, x, other, y);
  if (kind == "Concat") return concatenated(x, other, in, y);
  if (kind == "Upsample") return upsampled(layer, x, in, y);
  throw std::runtime_error("layer " + kind);
}

// ---- graph ---------------------------------------------------------------------------------
using Trace = std::vector<std::pair<std::string, std::vector<Frame>>>;

void require_range(const Frame& frame, const Tensor& t, const std::string& name) {
  if (frame.size() != t.values())
    throw std::runtime_error(name + ": " + std::to_string(frame.size()) + " values, not " +
                             std::to_string(t.values()));
  for (Int v : frame)
    if (v < t.lo || v > t.hi)
      throw std::runtime_error(name + ": " + std::to_string(v) + " is outside " +
                               std::to_string(t.lo) + " .. " + std::to_string(t.hi));
}

Trace run(const Json& graph, const Json& frames) {
  std::map<std::string, Tensor> tensors;
  for (const Json& t : graph["tensors"].list) tensors.emplace(t["name"].text, Tensor(t));
  Trace trace{{graph["input"].text, {}}};
  for (const Json& frame : frames.list) {
    trace[0].second.emplace_back();
    for (const Json& v : frame.list) trace[0].second.back().push_back(v.number);
  }
  std::map<std::string, std::vector<Frame>> known{trace[0]};
  for (const Json& layer : graph["layers"].list) {
    const Tensor &x = tensors.at(layer["x"].text), &y = tensors.at(layer["y"].text);
    const bool joins = layer.object.count("other") > 0;
    const std::vector<Frame>& sources = known.at(layer["x"].text);
    const std::vector<Frame>& others = known.at(layer[joins ? "other" : "x"].text);
    std::vector<Frame> out;
    for (size_t f = 0; f < sources.size(); ++f) {
      out.push_back(execute(layer, sources[f], others[f], x, y));
      require_range(out.back(), y, layer["y"].text);
    }
    known[layer["y"].text] = out;
    trace.emplace_back(layer["y"].text, out);
  }
  return trace;
}

void print(const Trace& trace) {
  const char* outer = "{";
  for (const auto& [name, frames] : trace) {
    std::cout << outer << '"' << name << "\":[";
    for (size_t f = 0; f < frames.size(); ++f) {
      std::cout << (f ? ",[" : "[");
      for (size_t i = 0; i < frames[f].size(); ++i) std::cout << (i ? "," : "") << frames[f][i];
      std::cout << ']';
    }
    std::cout << ']';
    outer = ",";
  }
  std::cout << '}' << std::endl;
}

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const Json job = Parser(line).value();
      print(run(job["graph"], job["x"]));
    } catch (const std::exception& error) {
      std::cout << "{\"error\":\"" << error.what() << "\"}" << std::endl;
    }
  }
}
