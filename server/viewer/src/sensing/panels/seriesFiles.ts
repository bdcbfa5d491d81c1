/** What the chart shows, as files. */
import { h } from "../../dom";
import type { Series } from "./seriesApi";

/** Pixels of a picture for each of the page. */
const SHARPNESS = 2;
const KEEP_URL = 10_000;

/** Programs that open tables run what begins like a formula. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** A row for each value from one time to another; times in UTC as ISO 8601 has them. */
export function csvOf(series: readonly Series[], [start, end]: readonly [number, number]): string {
  const lines = ["time,datastream,thing,property,unit,value"];
  for (const { datastream, times, values } of series) {
    const { key, thing_name, property, unit } = datastream;
    const names = [key, thing_name, property, unit ?? ""].map(cell).join(",");
    times.forEach((time, i) => {
      if (time < start || time > end) return;
      lines.push(`${new Date(time).toISOString()},${names},${values[i] ?? ""}`);
    });
  }
  // Spreadsheets take it for UTF-8 only with this mark in front.
  return `\ufeff${lines.join("\r\n")}\r\n`;
}

export function svgOf(picture: SVGSVGElement): Blob {
  return new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" });
}

export async function pngOf(picture: SVGSVGElement): Promise<Blob> {
  const url = URL.createObjectURL(svgOf(picture));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = h("canvas", { width: image.width * SHARPNESS, height: image.height * SHARPNESS });
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("canvas"))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_URL);
}
