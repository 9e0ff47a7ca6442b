export function AssetsPage() { return null; } export function AssetPage() { return null; }
