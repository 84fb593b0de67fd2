import type { MetricsFormat } from "./metrics.ts";

/**
 * The format that a scraper asks for: OpenMetrics where it names it, unless it likes
 * plain text better.
 *
 * @param accept the header, as RFC 9110 has it in 12.5.1
 */
export function formatFor(accept: string): MetricsFormat {
  const ranges = accept.toLowerCase().split(",").map((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    const version = parameters.find((parameter) => parameter.startsWith("version="));
    return {
      type,
      version: version?.slice("version=".length),
      quality: quality === undefined ? 1 : Number(quality.slice("q=".length)),
    };
  });
  const qualityOf = (wanted: string, version: string) =>
    Math.max(
      0,
      ...ranges.filter((range) =>
        range.type === wanted && (range.version ?? version) === version
      ).map(({ quality }) => quality),
    );
  const openMetrics = qualityOf("application/openmetrics-text", "1.0.0");
  return openMetrics > 0 && openMetrics >= qualityOf("text/plain", "0.0.4")
    ? "openmetrics"
    : "prometheus";
}
