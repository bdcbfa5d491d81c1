/** Lengths and areas as people read them. */
import { formatNumber } from "./i18n";

/** Metres; from a kilometre on kilometres. */
export function formatLength(metres: number): string {
  return Math.abs(metres) >= 1000
    ? `${formatNumber(metres / 1000, 3)} km`
    : `${formatNumber(metres, Math.abs(metres) < 100 ? 2 : 1)} m`;
}

/** Square metres; from a hectare on hectares. */
export function formatArea(squareMetres: number): string {
  return squareMetres >= 10_000
    ? `${formatNumber(squareMetres / 10_000, 3)} ha`
    : `${formatNumber(squareMetres, squareMetres < 100 ? 2 : 1)} m²`;
}
