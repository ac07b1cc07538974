// Starts Chromium without a screen, for tests that look at pages.
import { type Browser, chromium } from 'playwright-core';
import { mustLocate } from './locate.ts';

/** A browser; its owner closes it. @throws Error if Chromium is not installed. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: mustLocate('chromium'), args: ['--headless=new'] });
}
