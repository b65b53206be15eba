// Token-level simulation: the handshakes of a top without its data, cycle by cycle.
//
//   stdin   frames in_beats out_beats idle backpressure seed patience
//           number of actors, then one line for each, in the order of the data flow:
//           kind sources.. "|" sinks.. "|" numbers..   (streams by number; 0 enters, 1 leaves)
//   stdout  end CYCLE           of each frame that left
//           peak ACTOR BEATS    most that a FIFO held
//           full ACTOR          a FIFO that is full in a deadlock
//           deadlock CYCLE      nothing moved for `patience` cycles
//
// Every actor is one module of the RTL library; see actors.py for what the numbers mean.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace {

enum Kind { STEPS, RING, FIFO, FORK, WIDEN, NARROW };

struct Stream {
    bool valid = false, ready = false;
    bool moves() const { return valid && ready; }
};

struct Actor {
    int kind = 0;
    std::vector<int> in, out;
    std::vector<long> number;

    long step = 0, frame = 0;           // STEPS, RING: next step
    long written = 0, released = 0;     // RING, FIFO: beats since the start
    long peak = 0, part = 0;
    bool done[2] = {false, false};      // FORK: sinks that have the beat at hand
    std::vector<char> pipe;             // STEPS, RING: valid bits, the output last
};

std::vector<Stream> streams;
std::vector<Actor> actors;

// STEPS: latency, steps, then for each step what it needs and takes of its inputs, and emits
long word(const Actor& a) { return a.number[2 + a.step]; }
bool takes(long w, size_t input) { return w >> input & 1; }
bool needs(long w, size_t input) { return w >> (2 + input) & 1; }
bool emits(long w) { return w >> 4 & 1; }
// RING: beats of a frame, capacity, steps, then for each step the beats it needs, and the beats
// that are free after it
long ring_steps(const Actor& a) { return a.number[2]; }
long ring_need(const Actor& a) { return a.frame * a.number[0] + a.number[3 + 2 * a.step]; }
long ring_free(const Actor& a) { return a.frame * a.number[0] + a.number[4 + 2 * a.step]; }

void set_valid(Actor& a) {
    switch (a.kind) {
        case STEPS: case RING: streams[a.out[0]].valid = a.pipe.back(); break;
        case FIFO: streams[a.out[0]].valid = a.written > a.released; break;
        case FORK:
            for (int i = 0; i < 2; i++) streams[a.out[i]].valid = streams[a.in[0]].valid && !a.done[i];
            break;
        case WIDEN:
            streams[a.out[0]].valid = streams[a.in[0]].valid && a.part == a.number[0] - 1;
            break;
        case NARROW: streams[a.out[0]].valid = streams[a.in[0]].valid; break;
    }
}

bool advances(const Actor& a) { return streams[a.out[0]].ready || !a.pipe.back(); }

void set_ready(Actor& a) {
    switch (a.kind) {
        case STEPS:
            for (size_t i = 0; i < a.in.size(); i++) {
                bool others = true;
                for (size_t k = 0; k < a.in.size(); k++)
                    others &= k == i || !needs(word(a), k) || streams[a.in[k]].valid;
                streams[a.in[i]].ready = advances(a) && takes(word(a), i) && others;
            }
            break;
        case RING: streams[a.in[0]].ready = a.written < a.released + a.number[1]; break;
        case FIFO: streams[a.in[0]].ready = a.written - a.released < a.number[0]; break;
        case FORK: {
            bool all = true;
            for (int i = 0; i < 2; i++) all &= a.done[i] || streams[a.out[i]].ready;
            streams[a.in[0]].ready = all;
            break;
        }
        case WIDEN:
            streams[a.in[0]].ready = streams[a.out[0]].ready || a.part != a.number[0] - 1;
            break;
        case NARROW:
            streams[a.in[0]].ready = streams[a.out[0]].ready && a.part == a.number[0] - 1;
            break;
    }
}

void shift(Actor& a, bool entering) {
    for (size_t i = a.pipe.size() - 1; i > 0; i--) a.pipe[i] = a.pipe[i - 1];
    a.pipe[0] = entering;
}

void next_step(Actor& a, long steps) {
    if (++a.step == steps) a.step = 0, a.frame++;
}

void clock(Actor& a) {
    switch (a.kind) {
        case STEPS: {
            if (!advances(a)) break;
            bool go = true;
            for (size_t i = 0; i < a.in.size(); i++)
                go &= !needs(word(a), i) || streams[a.in[i]].valid;
            shift(a, go && emits(word(a)));
            if (go) next_step(a, a.number[1]);
            break;
        }
        case RING: {
            const long before = a.written;
            a.written += streams[a.in[0]].moves();
            if (!advances(a)) break;
            const bool go = before >= ring_need(a);
            shift(a, go);
            if (go) a.released = ring_free(a), next_step(a, ring_steps(a));
            break;
        }
        case FIFO:
            a.written += streams[a.in[0]].moves();
            a.released += streams[a.out[0]].moves();
            a.peak = std::max(a.peak, a.written - a.released);
            break;
        case FORK:
            for (int i = 0; i < 2; i++)
                a.done[i] = !streams[a.in[0]].moves() && (a.done[i] || streams[a.out[i]].moves());
            break;
        case WIDEN: a.part = (a.part + streams[a.in[0]].moves()) % a.number[0]; break;
        case NARROW: a.part = (a.part + streams[a.out[0]].moves()) % a.number[0]; break;
    }
}

void read_actor(Actor& a) {
    std::string text;
    std::cin >> a.kind;
    for (std::vector<int>* list : {&a.in, &a.out})
        while (std::cin >> text && text != "|") list->push_back(std::stoi(text));
    long count = 0;
    std::cin >> count;
    a.number.resize(count);
    std::getline(std::cin, text);
    char* at = text.data();  // tables are long, and strtol is several times as fast as >>
    for (long& n : a.number) n = std::strtol(at, &at, 10);
    a.pipe.assign(a.kind == STEPS ? a.number[0] : 1, 0);
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    long frames = 0, in_beats = 0, out_beats = 0, patience = 0, count = 0;
    double idle = 0, backpressure = 0;
    unsigned seed = 0;
    std::cin >> frames >> in_beats >> out_beats >> idle >> backpressure >> seed >> patience >> count;
    actors.resize(count);
    int last = 1;
    for (Actor& a : actors) {
        read_actor(a);
        for (int s : a.in) last = std::max(last, s);
        for (int s : a.out) last = std::max(last, s);
    }
    streams.resize(last + 1);
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    long sent = 0, left = 0, quiet = 0, cycle = 0;
    bool offered = false;
    for (; left < frames * out_beats && quiet < patience; cycle++) {
        offered = offered || (sent < frames * in_beats && (idle == 0 || uniform(random) >= idle));
        streams[0].valid = offered;
        for (Actor& a : actors) set_valid(a);
        streams[1].ready = backpressure == 0 || uniform(random) >= backpressure;
        for (auto a = actors.rbegin(); a != actors.rend(); ++a) set_ready(*a);
        bool moved = false;
        for (const Stream& s : streams) moved |= s.moves();
        for (Actor& a : actors) clock(a);
        quiet = moved ? 0 : quiet + 1;
        if (streams[0].moves()) sent++, offered = false;
        if (streams[1].moves() && ++left % out_beats == 0) std::printf("end %ld\n", cycle);
    }
    const bool stuck = left < frames * out_beats;
    for (long i = 0; i < count; i++) {
        if (actors[i].kind != FIFO) continue;
        std::printf("peak %ld %ld\n", i, actors[i].peak);
        if (stuck && actors[i].written - actors[i].released >= actors[i].number[0])
            std::printf("full %ld\n", i);
    }
    if (stuck) std::printf("deadlock %ld\n", cycle - quiet);
}
