import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  timeout: 60_000,
  workers: 1,
  retries: Number(process.env.RETRIES ?? 1),
  fullyParallel: false,
  reporter: [["list"]],
  outputDir: process.env.FOLDER ? `${process.env.FOLDER}/browser` : "/tmp/tradewind-browser",
  use: {
    baseURL: process.env.BASE,
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--force-color-profile=srgb"] },
    actionTimeout: 8000,
  },
  projects: [
    { name: "journeys", testMatch: "journeys.spec.ts" },
    { name: "bench", testMatch: "bench.spec.ts" },
    { name: "shots", testMatch: "shots.spec.ts" },
  ],
});
