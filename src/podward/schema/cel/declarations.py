"""The functions that expressions know, with the types that they take and yield.

Specification: cel-go common/stdlib, cel/library.go (optionals), ext (strings of version 2, sets, lists) and
k8s.io/apiserver pkg/cel/library, with comparisons of numbers of two kinds. What the library behind this cannot evaluate
is not here. A line is one overload: its identifier, what it takes, what it yields; a dot stands before methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from podward.schema.cel.types import Type, parse


class Overload(Struct, frozen=True):
    """One of the ways to call a function."""

    id: str
    method: bool
    takes: tuple[Type, ...]
    yields: Type


_ALL = """
_?_:_ = conditional (bool, A, A) A
_&&_ = logical_and (bool, bool) bool
_||_ = logical_or (bool, bool) bool
!_ = logical_not (bool) bool
@not_strictly_false = not_strictly_false (bool) bool
_==_ = equals (A, A) bool
_!=_ = not_equals (A, A) bool
_+_ = add_bytes (bytes, bytes) bytes
_+_ = add_double (double, double) double
_+_ = add_duration_duration (duration, duration) duration
_+_ = add_duration_timestamp (duration, timestamp) timestamp
_+_ = add_timestamp_duration (timestamp, duration) timestamp
_+_ = add_int64 (int, int) int
_+_ = add_list (list(A), list(A)) list(A)
_+_ = add_string (string, string) string
_+_ = add_uint64 (uint, uint) uint
_/_ = divide_double (double, double) double
_/_ = divide_int64 (int, int) int
_/_ = divide_uint64 (uint, uint) uint
_%_ = modulo_int64 (int, int) int
_%_ = modulo_uint64 (uint, uint) uint
_*_ = multiply_double (double, double) double
_*_ = multiply_int64 (int, int) int
_*_ = multiply_uint64 (uint, uint) uint
-_ = negate_double (double) double
-_ = negate_int64 (int) int
_-_ = subtract_double (double, double) double
_-_ = subtract_duration_duration (duration, duration) duration
_-_ = subtract_int64 (int, int) int
_-_ = subtract_timestamp_duration (timestamp, duration) timestamp
_-_ = subtract_timestamp_timestamp (timestamp, timestamp) duration
_-_ = subtract_uint64 (uint, uint) uint
_[_] = index_list (list(A), int) A
_[_] = index_map (map(A, B), A) B
_[_] = optional_list_index_int (optional_type(list(V)), int) optional_type(V)
_[_] = optional_map_index_value (optional_type(map(K, V)), K) optional_type(V)
_[?_] = list_optindex_optional_int (list(V), int) optional_type(V)
_[?_] = optional_list_optindex_optional_int (optional_type(list(V)), int) optional_type(V)
_[?_] = map_optindex_optional_value (map(K, V), K) optional_type(V)
_[?_] = optional_map_optindex_optional_value (optional_type(map(K, V)), K) optional_type(V)
@in = in_list (A, list(A)) bool
@in = in_map (A, map(A, B)) bool
size = size_bytes (bytes) int
size = .bytes_size (bytes) int
size = size_list (list(A)) int
size = .list_size (list(A)) int
size = size_map (map(A, B)) int
size = .map_size (map(A, B)) int
size = size_string (string) int
size = .string_size (string) int
type = type (A) type(A)
bool = bool_to_bool (bool) bool
bool = string_to_bool (string) bool
bytes = bytes_to_bytes (bytes) bytes
bytes = string_to_bytes (string) bytes
double = double_to_double (double) double
double = int64_to_double (int) double
double = string_to_double (string) double
double = uint64_to_double (uint) double
duration = duration_to_duration (duration) duration
duration = int64_to_duration (int) duration
duration = string_to_duration (string) duration
dyn = to_dyn (A) dyn
int = int64_to_int64 (int) int
int = double_to_int64 (double) int
int = duration_to_int64 (duration) int
int = string_to_int64 (string) int
int = timestamp_to_int64 (timestamp) int
int = uint64_to_int64 (uint) int
string = string_to_string (string) string
string = bool_to_string (bool) string
string = bytes_to_string (bytes) string
string = double_to_string (double) string
string = duration_to_string (duration) string
string = int64_to_string (int) string
string = timestamp_to_string (timestamp) string
string = uint64_to_string (uint) string
string = ip_to_string (net.IP) string
string = cidr_to_string (net.CIDR) string
timestamp = timestamp_to_timestamp (timestamp) timestamp
timestamp = int64_to_timestamp (int) timestamp
timestamp = string_to_timestamp (string) timestamp
uint = uint64_to_uint64 (uint) uint
uint = double_to_uint64 (double) uint
uint = int64_to_uint64 (int) uint
uint = string_to_uint64 (string) uint
contains = .contains_string (string, string) bool
endsWith = .ends_with_string (string, string) bool
startsWith = .starts_with_string (string, string) bool
matches = matches (string, string) bool
matches = .matches_string (string, string) bool
getHours = .duration_to_hours (duration) int
getMinutes = .duration_to_minutes (duration) int
getSeconds = .duration_to_seconds (duration) int
getMilliseconds = .duration_to_milliseconds (duration) int
optional.of = optional_of (V) optional_type(V)
optional.ofNonZeroValue = optional_ofNonZeroValue (V) optional_type(V)
optional.none = optional_none () optional_type(V)
value = .optional_value (optional_type(V)) V
hasValue = .optional_hasValue (optional_type(V)) bool
or = .optional_or_optional (optional_type(V), optional_type(V)) optional_type(V)
orValue = .optional_orValue_value (optional_type(V), V) V
charAt = .string_char_at_int (string, int) string
indexOf = .string_index_of_string (string, string) int
indexOf = .string_index_of_string_int (string, string, int) int
indexOf = .list_a_index_of_int (list(T), T) int
lastIndexOf = .string_last_index_of_string (string, string) int
lastIndexOf = .string_last_index_of_string_int (string, string, int) int
lastIndexOf = .list_a_last_index_of_int (list(T), T) int
lowerAscii = .string_lower_ascii (string) string
upperAscii = .string_upper_ascii (string) string
replace = .string_replace_string_string (string, string, string) string
replace = .string_replace_string_string_int (string, string, string, int) string
split = .string_split_string (string, string) list(string)
split = .string_split_string_int (string, string, int) list(string)
substring = .string_substring_int (string, int) string
substring = .string_substring_int_int (string, int, int) string
trim = .string_trim (string) string
join = .list_join (list(string)) string
join = .list_join_string (list(string), string) string
sets.contains = list_sets_contains_list (list(T), list(T)) bool
sets.equivalent = list_sets_equivalent_list (list(T), list(T)) bool
sets.intersects = list_sets_intersects_list (list(T), list(T)) bool
quantity = string_to_quantity (string) kubernetes.Quantity
isQuantity = is_quantity_string (string) bool
sign = .quantity_sign (kubernetes.Quantity) int
isGreaterThan = .quantity_is_greater_than (kubernetes.Quantity, kubernetes.Quantity) bool
isGreaterThan = .semver_is_greater_than (kubernetes.Semver, kubernetes.Semver) bool
isLessThan = .quantity_is_less_than (kubernetes.Quantity, kubernetes.Quantity) bool
isLessThan = .semver_is_less_than (kubernetes.Semver, kubernetes.Semver) bool
compareTo = .quantity_compare_to (kubernetes.Quantity, kubernetes.Quantity) int
compareTo = .semver_compare_to (kubernetes.Semver, kubernetes.Semver) int
asApproximateFloat = .quantity_get_float (kubernetes.Quantity) double
asInteger = .quantity_get_int (kubernetes.Quantity) int
isInteger = .quantity_is_integer (kubernetes.Quantity) bool
add = .quantity_add (kubernetes.Quantity, kubernetes.Quantity) kubernetes.Quantity
add = .quantity_add_int (kubernetes.Quantity, int) kubernetes.Quantity
sub = .quantity_sub (kubernetes.Quantity, kubernetes.Quantity) kubernetes.Quantity
sub = .quantity_sub_int (kubernetes.Quantity, int) kubernetes.Quantity
ip = string_to_ip (string) net.IP
ip = .cidr_ip (net.CIDR) net.IP
isIP = is_ip (string) bool
ip.isCanonical = ip_is_canonical (string) bool
family = .ip_family (net.IP) int
isUnspecified = .ip_is_unspecified (net.IP) bool
isLoopback = .ip_is_loopback (net.IP) bool
isLinkLocalMulticast = .ip_is_link_local_multicast (net.IP) bool
isLinkLocalUnicast = .ip_is_link_local_unicast (net.IP) bool
isGlobalUnicast = .ip_is_global_unicast (net.IP) bool
cidr = string_to_cidr (string) net.CIDR
isCIDR = is_cidr (string) bool
containsIP = .cidr_contains_ip_string (net.CIDR, string) bool
containsIP = .cidr_contains_ip_ip (net.CIDR, net.IP) bool
containsCIDR = .cidr_contains_cidr_string (net.CIDR, string) bool
containsCIDR = .cidr_contains_cidr (net.CIDR, net.CIDR) bool
prefixLength = .cidr_prefix_length (net.CIDR) int
masked = .cidr_masked (net.CIDR) net.CIDR
url = string_to_url (string) kubernetes.URL
isURL = is_url_string (string) bool
getScheme = .url_get_scheme (kubernetes.URL) string
getHost = .url_get_host (kubernetes.URL) string
getHostname = .url_get_hostname (kubernetes.URL) string
getPort = .url_get_port (kubernetes.URL) string
getEscapedPath = .url_get_escaped_path (kubernetes.URL) string
getQuery = .url_get_query (kubernetes.URL) map(string, list(string))
semver = string_to_semver (string) kubernetes.Semver
semver = string_bool_to_semver (string, bool) kubernetes.Semver
isSemver = is_semver_string (string) bool
isSemver = is_semver_string_bool (string, bool) bool
major = .semver_major (kubernetes.Semver) int
minor = .semver_minor (kubernetes.Semver) int
patch = .semver_patch (kubernetes.Semver) int
"""
_ORDERED = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
_NUMBERS = ("int", "uint", "double")
_COMPARED = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}
_STORED = {"int": "int64", "uint": "uint64"}
_PARTS = {
    "getFullYear": "year", "getMonth": "month", "getDayOfYear": "day_of_year", "getDayOfMonth": "day_of_month",
    "getDate": "day_of_month_1_based", "getDayOfWeek": "day_of_week", "getHours": "hours", "getMinutes": "minutes",
    "getSeconds": "seconds", "getMilliseconds": "milliseconds",
}  # fmt: skip
_SUMMED = ("int", "uint", "double", "duration")
_SORTED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")


def _lines() -> Iterator[str]:
    yield from _ALL.strip().splitlines()
    for name, word in _COMPARED.items():
        for kind in _ORDERED:
            identifier = f"{word}_{_STORED.get(kind, kind)}"
            yield f"{name} = {identifier} ({kind}, {kind}) bool"
            for other in _NUMBERS if kind in _NUMBERS else ():
                if other != kind:
                    yield f"{name} = {identifier}_{_STORED.get(other, other)} ({kind}, {other}) bool"
    for name, word in _PARTS.items():
        yield f"{name} = .timestamp_to_{word} (timestamp) int"
        yield f"{name} = .timestamp_to_{word}_with_tz (timestamp, string) int"
    for kind in _SUMMED:
        yield f"sum = .list_{kind}_sum_{kind} (list({kind})) {kind}"
    for kind in _SORTED:
        yield f"isSorted = .list_{kind}_is_sorted_bool (list({kind})) bool"
        yield f"max = .list_{kind}_max_{kind} (list({kind})) {kind}"
        yield f"min = .list_{kind}_min_{kind} (list({kind})) {kind}"


@lru_cache(1)
def functions() -> dict[str, list[Overload]]:
    """All overloads by the name of their function, in the order in which they are tried."""
    found: dict[str, list[Overload]] = {}
    for line in _lines():
        name, _, rest = line.partition(" = ")
        identifier, _, signature = rest.partition(" ")
        inside, _, yields = signature.rpartition(") ")
        takes = parse(f"list{inside})").params if inside != "(" else ()
        method = identifier.startswith(".")
        found.setdefault(name, []).append(Overload(identifier.removeprefix("."), method, takes, parse(yields)))
    return found
