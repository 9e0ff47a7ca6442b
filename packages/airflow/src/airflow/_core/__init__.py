"""Objects that Airflow has and Tradewind has no other place for. Private; the tables give them their public paths."""
