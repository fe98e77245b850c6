// Prints what a histogram log holds, as the public reader sees it: one JSON object, by tag.
//
// usage: node read_hlog.js LOG, in the folder that has node_modules
"use strict";
const fs = require("fs");
const hdr = require(process.cwd() + "/node_modules/hdr-histogram-js");

const reader = new hdr.HistogramLogReader(fs.readFileSync(process.argv[2], "utf8"), 64);
const sums = {};
const lines = {};
for (let each = reader.nextIntervalHistogram(); each; each = reader.nextIntervalHistogram()) {
  const tag = each.tag;
  lines[tag] = (lines[tag] || 0) + 1;
  if (!sums[tag]) {
    sums[tag] = hdr.build({
      bitBucketSize: 64,
      lowestDiscernibleValue: each.lowestDiscernibleValue,
      highestTrackableValue: each.highestTrackableValue,
      numberOfSignificantValueDigits: each.numberOfSignificantValueDigits,
    });
  }
  sums[tag].add(each);
}
const result = {};
for (const [tag, sum] of Object.entries(sums)) {
  result[tag] = {
    lines: lines[tag],
    count: sum.totalCount,
    p50_ns: sum.getValueAtPercentile(50),
    p90_ns: sum.getValueAtPercentile(90),
    p99_ns: sum.getValueAtPercentile(99),
    p999_ns: sum.getValueAtPercentile(99.9),
    max_ns: sum.maxValue,
  };
}
console.log(JSON.stringify(result));
